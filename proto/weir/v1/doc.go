// SPDX-License-Identifier: Apache-2.0

// Package weirv1 is the code generated from the messages of weir.v1.
package weirv1
