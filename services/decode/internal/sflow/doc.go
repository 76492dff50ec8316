// SPDX-License-Identifier: Apache-2.0

// Package sflow decodes sFlow version 5 (sflow.org, "sFlow Version 5", July 2004).
// Flow samples and discarded packets become rows of flows, counters samples rows of counters; what is not
// known is passed over by its length. No count in a datagram is believed beyond its octets.
package sflow
