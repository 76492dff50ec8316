// SPDX-License-Identifier: Apache-2.0

// Package explain takes an export datagram apart for people: a tree of its header,
// sets, templates, records and fields, each with its place, its value, the columns
// that it fills, and what is wrong with it by which rule.
//
// The promise: whatever the bytes are, the tree is bounded. What the parsers refuse
// is a problem in the tree, with the same reason.
package explain
