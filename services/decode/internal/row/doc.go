// SPDX-License-Identifier: Apache-2.0

// Package row is where the parsers put their flows: it knows what all rows of a
// datagram have in common and the rules that hold whatever the protocol is.
//
//	Begin(datagram) → Next() → parser fills the Record → Commit() ... → End()
package row
