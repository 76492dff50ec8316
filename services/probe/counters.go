// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weirflow/weir/services/probe/internal/export"
)

// interfaceCounters reads the counters of an interface from sysfs. What is not there is 0.
func interfaceCounters(name string, index uint32) export.Counters {
	dir := filepath.Join("/sys/class/net", name)
	text := func(file string) string {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	count := func(file string) uint64 {
		v, err := strconv.ParseUint(text(filepath.Join("statistics", file)), 10, 64)
		if err != nil {
			return 0
		}
		return v
	}
	const megabit = 1_000_000
	speed, err := strconv.ParseUint(text("speed"), 10, 64) // Mbit/s; -1 where there is none
	if err != nil {
		speed = 0
	}
	multicast := count("multicast")
	return export.Counters{
		Index: index, Speed: speed * megabit, Up: text("operstate") != "down",
		InOctets: count("rx_bytes"), OutOctets: count("tx_bytes"),
		InPackets:   uint32(count("rx_packets") - multicast),
		InMulticast: uint32(multicast), OutPackets: uint32(count("tx_packets")),
		InErrors: uint32(count("rx_errors")), OutErrors: uint32(count("tx_errors")),
		InDiscards: uint32(count("rx_dropped")), OutDiscards: uint32(count("tx_dropped")),
	}
}
