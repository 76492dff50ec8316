// SPDX-License-Identifier: Apache-2.0

// Package refusal is the closed list of reasons for which decode leaves out a
// part of its input. What is left out is counted; the rest of the datagram is
// decoded.
package refusal
