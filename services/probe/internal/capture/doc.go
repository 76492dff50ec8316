// SPDX-License-Identifier: Apache-2.0

// Package capture reads packets from files in the formats of pcap and pcapng.
package capture
