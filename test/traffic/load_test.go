// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// first is the address of the first exporter.
var first = netip.MustParseAddr("127.0.0.2")

// load sends count flows of one exporter to a recorder, and returns what tshark reads.
func load(t *testing.T, cfg LoadConfig, dissector string, fields ...string) (*Load, [][][]string) {
	t.Helper()
	Require(t, "tshark")
	r := record(t)
	cfg.To, cfg.Exporters, cfg.Remember = r.addr(), len(cfg.Protocols), true
	l := newLoad(t, cfg)
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := tshark(t, r.stop(), r.addr().Port(), dissector, append(fields, "_ws.malformed", "_ws.expert.message")...)
	for i, row := range rows {
		// What tshark says of a sampled packet's payload, which is zeros, does not count.
		if got := row[len(fields):]; got[0] != nil || got[1] != nil && dissector != "sflow" {
			t.Errorf("tshark objects to datagram %d: %v", i, got)
		}
	}
	return l, rows
}

func newLoad(t *testing.T, cfg LoadConfig) *Load {
	t.Helper()
	l, err := NewLoad(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// sum adds up the numbers of a column.
func sum(t *testing.T, values []string) (s uint64) {
	t.Helper()
	for _, v := range values {
		s += number(t, v)
	}
	return s
}

func TestLoadSendsWhatItSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		protocol          Protocol
		dissector         string
		sequence          string
		octets, packets   string // packets: empty where each flow is one
		interval          string
		want              []string // of interval, in the first datagram
		withoutFlows, mtu int
	}{
		{NetFlow5, "cflow", "cflow.sequence", "cflow.octets", "cflow.packets", "cflow.samplerate", []string{"512"}, 0, 1472},
		{NetFlow9, "cflow", "cflow.sequence", "cflow.octets", "cflow.packets", "cflow.sampler_random_interval", []string{"512"}, 1, 1472},
		{IPFIX, "cflow", "cflow.sequence", "cflow.octets", "cflow.packets", "cflow.sampling_packet_space", []string{"511"}, 1, 1472},
		{SFlow, "sflow", "sflow_245.sequence_number", "sflow_245.header.frame_length", "", "sflow.flow_sample.sampling_rate", []string{"512", "512", "512", "512", "512"}, 0, 1472},
	} {
		t.Run(string(tt.protocol), func(t *testing.T) {
			t.Parallel()
			cfg := DefaultLoadConfig()
			cfg.Protocols, cfg.Rate, cfg.Count, cfg.Sampling = []Protocol{tt.protocol}, 0, 3001, 512
			fields := []string{tt.sequence, tt.octets, "udp.length", tt.interval}
			if tt.packets != "" {
				fields = append(fields, tt.packets)
			}
			l, rows := load(t, cfg, tt.dissector, fields...)
			if diff := cmp.Diff(tt.want, rows[0][3]); diff != "" {
				t.Errorf("sampling interval (-want +got):\n%s", diff)
			}
			var got Counts
			for i, row := range rows {
				c := Counts{Flows: uint64(len(row[1])), Bytes: sum(t, row[1]), Packets: uint64(len(row[1]))}
				if tt.packets != "" {
					c.Packets = sum(t, row[4])
				}
				if i < tt.withoutFlows {
					continue
				}
				c.Datagrams = 1
				got.Add(c)
				if want, ok := l.Datagram(first, uint32(number(t, row[0][0]))); !ok || want != c {
					t.Errorf("datagram %s holds %+v, want %+v", row[0][0], c, want)
				}
				if size := number(t, row[2][0]); size > uint64(tt.mtu+8) {
					t.Errorf("datagram %d has %d octets, more than fit into an Ethernet frame", i, size)
				}
			}
			if diff := cmp.Diff(l.Sent()[0].Counts, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if got.Flows != cfg.Count {
				t.Errorf("%d flows were sent, want %d", got.Flows, cfg.Count)
			}
		})
	}
}

func TestFieldsAreThoseOfTheFlow(t *testing.T) {
	t.Parallel()
	for _, p := range []Protocol{NetFlow5, NetFlow9, IPFIX} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			cfg := DefaultLoadConfig()
			cfg.Protocols, cfg.Rate, cfg.Count = []Protocol{p}, 0, flows5
			_, rows := load(t, cfg, "cflow", "cflow.srcaddr", "cflow.dstaddr", "cflow.nexthop", "cflow.srcmask", "cflow.dstmask",
				"cflow.srcport", "cflow.protocol", "cflow.tos", "cflow.inputint", "cflow.outputint", "cflow.dstas", "cflow.packets", "cflow.octets")
			if p != NetFlow5 {
				rows = rows[1:] // templates
			}
			var got []string
			for _, column := range rows[0][:13] {
				got = append(got, column[0])
			}
			// What the exporter made up first.
			f := newNetwork(cfg.Seed * maxExporters).flow(false)
			as := f.dstAS
			if p == NetFlow5 {
				as = uint32(as16(as))
			}
			ip := func(a [16]byte) netip.Addr { return netip.AddrFrom4([4]byte(a[12:])) }
			want := strings.Fields(fmt.Sprintf("%v %v %v %d %d %d %d 0x%02x %d %d %d %d %d", ip(f.src), ip(f.dst), ip(f.nextHop),
				f.srcMask, f.dstMask, f.srcPort, f.proto, f.tos, f.inIf, f.outIf, as, f.packets, f.bytes))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("first flow (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFlowsEndShortlyBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	cfg := DefaultLoadConfig()
	cfg.Protocols, cfg.Rate, cfg.Count = []Protocol{IPFIX}, 0, 100
	before := time.Now()
	_, rows := load(t, cfg, "cflow", "cflow.abstimeend")
	for _, row := range rows[1:] {
		for _, v := range row[0] {
			end, err := time.Parse("Jan _2, 2006 15:04:05.000000000 MST", v)
			if err != nil {
				t.Fatal(err)
			}
			if end.Before(before.Add(-6*time.Second)) || end.After(time.Now()) {
				t.Errorf("a flow ended at %v, want within 6 s before %v", end, before)
			}
		}
	}
}

func TestSameSeedMakesTheSameFlows(t *testing.T) {
	t.Parallel()
	sent := func(seed uint64) []Sent {
		r := record(t)
		defer r.stop()
		cfg := DefaultLoadConfig()
		cfg.To, cfg.Rate, cfg.Count, cfg.Seed = r.addr(), 0, 4567, seed
		l := newLoad(t, cfg)
		if err := l.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return l.Sent()
	}
	once, again, other := sent(1), sent(1), sent(2)
	if diff := cmp.Diff(once, again, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("the same seed differs:\n%s", diff)
	}
	if once[0].Counts == other[0].Counts {
		t.Error("another seed makes the same flows")
	}
}

func TestLoadKeepsItsRate(t *testing.T) {
	t.Parallel()
	cfg := DefaultLoadConfig()
	cfg.Rate, cfg.Duration = 20_000, time.Second
	cfg.To = netip.MustParseAddrPort("127.0.0.1:9") // nobody listens, and that does not matter
	l := newLoad(t, cfg)
	start := time.Now()
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	due := cfg.Rate * time.Since(start).Seconds()
	if got := float64(l.flows); got > due || got < 0.75*cfg.Rate {
		t.Errorf("%v flows were sent, %v were due", got, due)
	}
}

func TestTemplatesAreSentAgain(t *testing.T) {
	t.Parallel()
	Require(t, "tshark")
	r := record(t)
	cfg := DefaultLoadConfig()
	cfg.To, cfg.Protocols, cfg.Exporters = r.addr(), []Protocol{NetFlow9, IPFIX}, 2
	cfg.Rate, cfg.Duration, cfg.TemplateEvery = 2000, time.Second, 300*time.Millisecond
	l := newLoad(t, cfg)
	if err := l.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	templates := map[string]int{}
	for _, row := range tshark(t, r.stop(), r.addr().Port(), "cflow", "ip.src", "cflow.template_id") {
		if row[1] != nil {
			templates[row[0][0]]++
		}
	}
	for _, e := range l.Sent() {
		if n := templates[e.Exporter.String()]; n < 2 || n > 4 {
			t.Errorf("%v sent templates %d times in a second, want each 300 ms", e.Protocol, n)
		}
	}
}

func TestLoadThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*LoadConfig){
		"fewer exporters than protocols": func(c *LoadConfig) { c.Exporters = 1 },
		"no protocol":                    func(c *LoadConfig) { c.Protocols = nil },
		"an unknown protocol":            func(c *LoadConfig) { c.Protocols = []Protocol{"v6"} },
		"no address":                     func(c *LoadConfig) { c.To = netip.AddrPort{} },
		"a sampling interval of 0":       func(c *LoadConfig) { c.Sampling = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultLoadConfig()
			change(&cfg)
			if _, err := NewLoad(cfg); err == nil {
				t.Error("no error")
			}
		})
	}
}

// BenchmarkLoad sends to nobody: what is measured is the generator and the way through loopback.
func BenchmarkLoad(b *testing.B) {
	for _, p := range Protocols() {
		b.Run(string(p), func(b *testing.B) {
			cfg := DefaultLoadConfig()
			cfg.To, cfg.Protocols, cfg.Rate, cfg.Count = netip.MustParseAddrPort("127.0.0.1:9"), []Protocol{p}, 0, 30_000
			l, err := NewLoad(cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			for b.Loop() {
				if err := l.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(l.flows)/b.Elapsed().Seconds(), "flows/s")
		})
	}
}
