// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestDefaultGatewaysAreThoseOfTheSystem, as ip(8) tells them.
func TestDefaultGatewaysAreThoseOfTheSystem(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "ip", "-4", "route", "show", "default").Output()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("ip(8) is not here")
		}
		t.Skip("ip(8) is not here")
	}
	var want []netip.Addr
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if i := slices.Index(words, "via"); i >= 0 {
			want = append(want, netip.MustParseAddr(words[i+1]))
		}
	}
	if got := defaultGateways(); !slices.Equal(got, want) {
		t.Errorf("gateways %v, ip says %v", got, want)
	}
}

func TestGatewayThatHidesExportersIsSeen(t *testing.T) {
	t.Parallel()
	gateway, router := netip.MustParseAddr("172.18.0.1"), netip.MustParseAddr("192.0.2.1")
	for name, tt := range map[string]struct {
		exporters []netip.Addr
		want      bool
	}{
		"nobody has sent":            {nil, false},
		"only the gateway":           {[]netip.Addr{gateway}, true},
		"only another":               {[]netip.Addr{router}, false},
		"the gateway and another":    {[]netip.Addr{gateway, router}, false},
		"the gateway, several times": {[]netip.Addr{gateway, gateway}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newExporters(newMetrics(prometheus.NewRegistry()), 4, 10)
			for _, a := range tt.exporters {
				e.get(a)
			}
			if _, hidden := e.hiddenBy([]netip.Addr{gateway}); hidden != tt.want {
				t.Errorf("hidden: %v, want %v", hidden, tt.want)
			}
		})
	}
}
