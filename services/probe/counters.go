// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/weirflow/weir/services/probe/internal/export"
)

// interfaceCounters reads the counters of an interface (proc_net(5), dev). The speed
// is not there and stays 0, unknown.
func interfaceCounters(name string, index uint32) export.Counters {
	c := export.Counters{Index: index}
	if device, err := net.InterfaceByIndex(int(index)); err == nil {
		c.Up = device.Flags&net.FlagRunning != 0
	}
	text, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		return c
	}
	for line := range strings.Lines(string(text)) {
		device, counts, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(device) != name {
			continue
		}
		var in, out [8]uint64 // octets, packets, errors, drops, fifo, frame or collisions, compressed or carrier, multicast
		fields := []any{}
		for _, side := range []*[8]uint64{&in, &out} {
			for i := range side {
				fields = append(fields, &side[i])
			}
		}
		_, _ = fmt.Sscan(counts, fields[:16]...)
		const octets, packets, errors, drops, multicast = 0, 1, 2, 3, 7
		c.InOctets, c.OutOctets = in[octets], out[octets]
		c.InPackets, c.InMulticast, c.OutPackets = uint32(in[packets]-in[multicast]), uint32(in[multicast]), uint32(out[packets])
		c.InErrors, c.OutErrors = uint32(in[errors]), uint32(out[errors])
		c.InDiscards, c.OutDiscards = uint32(in[drops]), uint32(out[drops])
	}
	return c
}
