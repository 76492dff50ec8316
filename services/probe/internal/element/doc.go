// SPDX-License-Identifier: Apache-2.0

// Package element holds the IPFIX information elements that the probe can measure, as the
// IANA registry names them, and takes their values from packets.
package element
