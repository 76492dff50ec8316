// SPDX-License-Identifier: Apache-2.0

// Package ie is the table of information elements (IANA "IP Flow Information
// Export (IPFIX) Entities", RFC 7012, and NetFlow v9's field types, which are the
// elements below 128): which field of a flow an element fills, and how.
package ie
