// SPDX-License-Identifier: Apache-2.0

// Package sflow decodes sFlow version 5 (sflow.org, "sFlow Version 5", July 2004).
// Flow samples and discarded packets become rows; counter samples and what is not known are passed over
// by their lengths. No count in a datagram is believed beyond its octets.
package sflow
