// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// routes of IPv4, as proc(5) has them.
	routes = "/proc/net/route"
	// gatewayEvery is how often it is looked whether exporters are hidden.
	gatewayEvery = 30 * time.Second
)

// watchGateway warns, until ctx ends, when the only exporter seen is this machine's default gateway: in a
// container that is how it looks when the container engine replaces the source address of datagrams, and
// then all exporters are taken for one.
func (s *Service) watchGateway(ctx context.Context) {
	tick := time.NewTicker(gatewayEvery)
	defer tick.Stop()
	for warned := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		gateway, hidden := s.exporters.hiddenBy(defaultGateways())
		s.m.hidden.Set(0)
		if !hidden {
			continue
		}
		s.m.hidden.Set(1)
		if !warned {
			warned = true
			s.log.Warn("all datagrams come from the default gateway; if that is not your only exporter, the container engine replaces source addresses, and all exporters are taken for one",
				"address", gateway, "remedy", "see \"The exporter's address\" in docs/operate.md: give ingest the host's network")
		}
	}
}

// hiddenBy tells whether the one exporter that is known is a gateway.
func (t *exporters) hiddenBy(gateways []netip.Addr) (netip.Addr, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for addr := range t.known {
		return addr, len(t.known) == 1 && slices.Contains(gateways, addr)
	}
	return netip.Addr{}, false
}

// defaultGateways returns none where they can't be read.
func defaultGateways() []netip.Addr {
	f, err := os.Open(routes)
	if err != nil {
		return nil
	}
	defer f.Close()
	return readGateways(f)
}

// readGateways reads the gateways of the default routes: the columns are interface, destination and
// gateway, addresses as hexadecimal numbers in the octet order of the machine.
func readGateways(r io.Reader) (all []netip.Addr) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		column := strings.Fields(lines.Text())
		if len(column) < 3 || column[1] != "00000000" || column[2] == "00000000" {
			continue
		}
		b, err := hex.DecodeString(column[2])
		if err != nil || len(b) != 4 {
			continue
		}
		var a [4]byte
		binary.NativeEndian.PutUint32(a[:], binary.BigEndian.Uint32(b))
		all = append(all, netip.AddrFrom4(a))
	}
	return all
}
