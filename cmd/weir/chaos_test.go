// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weir/test/traffic"
)

// The length of a run and its seed can be set, for `make chaos`.
const (
	chaosTime = "WEIR_CHAOS_TIME"
	chaosSeed = "WEIR_CHAOS_SEED"
	shortTime = 20 * time.Second
)

const chaosSettings = `nats:
  max_bytes: 12GiB
aggregate:
  flush_interval: 500ms
  idle_after: 5s
  rollups:
    - name: chaos_1h
      window: 1h
      keys: [sampler_address, proto, dst_port]
      measures: [bytes, packets, flows]
insert:
  max_wait: 500ms
`

// Whatever is killed, suspended or cut off: a datagram that was acknowledged becomes its rows,
// each once.
func TestChaosLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel()
	length, seed := chaosSetting(t)
	t.Logf("seed %d, %v", seed, length)
	c := newCluster(t, chaosSettings)
	for service, n := range map[string]int{"ingest": 1, "decode": 3, "enrich": 2, "aggregate": 2, "insert": 2} {
		for i := range n {
			c.add(service, i == 0)
		}
	}
	stands := watchPauses(t, "nats://"+c.nats)
	load := newChaosLoad(t, c.flows, seed)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- load.Run(ctx) }()
	c.untilRows(1000)

	f := newFaults(t, c, rand.New(rand.NewPCG(seed, 0)), 800*time.Millisecond, min(length/10, time.Minute))
	f.run(ctx)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	for _, err := range f.errs {
		t.Error(err)
	}
	c.checkChaos(load)
	c.report(f, stands, load)
	c.checkEnds()
}

// checkEnds fails where a process has ended that nobody killed.
func (c *cluster) checkEnds() {
	c.t.Helper()
	for _, w := range c.workers {
		for _, end := range w.ends() {
			c.t.Error(end)
		}
	}
	for _, end := range c.server.ends() {
		c.t.Error(end)
	}
}

func chaosSetting(t *testing.T) (length time.Duration, seed uint64) {
	t.Helper()
	length, seed = shortTime, rand.Uint64N(1_000_000)
	var err error
	if text := os.Getenv(chaosTime); text != "" {
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv(chaosSeed); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return length, seed
}

// newChaosLoad is 16 exporters of all protocols.
func newChaosLoad(t *testing.T, to string, seed uint64) *traffic.Load {
	t.Helper()
	cfg := traffic.DefaultLoadConfig()
	cfg.To, cfg.Exporters, cfg.Rate, cfg.Seed, cfg.Remember = netip.MustParseAddrPort(to), 16, 4000, seed, true
	load, err := traffic.NewLoad(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(load.Close)
	return load
}

// sequenceSQL has a line for each datagram that holds flows.
const sequenceSQL = `SELECT replaceOne(toString(sampler_address), '::ffff:', ''), leftPad(toString(sequence_num), 10, '0'),
	count(), sum(bytes), sum(packets) FROM flows GROUP BY sampler_address, sequence_num ORDER BY 1, 2`

// stored returns what ingest has stored, in the form of sequenceSQL: the load knows what it put
// into the datagram with a sequence number.
func (c *cluster) stored(load *traffic.Load) string {
	c.t.Helper()
	var lines []string
	seen := map[string]bool{}
	for d := range c.datagrams() {
		sequence := sequenceOf(d.Payload)
		counts, ok := load.Datagram(d.Exporter, sequence)
		if !ok || isTemplates(d.Payload) {
			continue
		}
		key := fmt.Sprintf("%s\t%010d", d.Exporter, sequence)
		if seen[key] {
			c.t.Errorf("datagram %s is in the stream twice", key)
		}
		seen[key] = true
		lines = append(lines, fmt.Sprintf("%s\t%d\t%d\t%d", key, counts.Flows, counts.Bytes, counts.Packets))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// sequenceOf returns the sequence number of a datagram, by the offsets of NetFlow v5 and v9,
// IPFIX and sFlow with an IPv4 agent.
func sequenceOf(p []byte) uint32 {
	at := map[uint16]int{5: 16, 9: 12, 10: 8, 0: 16}[uint16(p[0])<<8|uint16(p[1])]
	return uint32(p[at])<<24 | uint32(p[at+1])<<16 | uint32(p[at+2])<<8 | uint32(p[at+3])
}

// isTemplates tells whether a datagram begins with a set of templates.
func isTemplates(p []byte) bool {
	switch p[1] {
	case 9:
		return p[20] == 0 && p[21] < 2
	case 10:
		return p[16] == 0 && p[17] < 4
	}
	return false
}

// checkChaos waits until everything has come and compares.
func (c *cluster) checkChaos(load *traffic.Load) {
	c.t.Helper()
	var want string
	c.until("ingest to have stored what it holds", func() bool {
		before := want
		want = c.stored(load)
		return want == before
	})
	c.expect(sequenceSQL, want)
	c.expectSums("flows_5m", "sampler_address")
	c.expectSums("chaos_1h", "sampler_address, proto, dst_port")
	if out := c.run("dead", "list", "--nats.url", "nats://"+c.nats); !strings.Contains(out, "no dead letters") {
		c.t.Errorf("dead letters:\n%s", out)
	}
	c.checkReplay()
}

// checkReplay decodes the datagrams of the stream again, undisturbed, and compares all columns.
func (c *cluster) checkReplay() {
	c.t.Helper()
	replay := []string{"replay", "--since", "24h", "--nats.url", "nats://" + c.nats, "--clickhouse.dsn", c.dsn, "--into"}
	const sums = "SELECT sampler_address, count(), sum(cityHash64(* EXCEPT insert_id)), groupBitXor(cityHash64(* EXCEPT insert_id)) FROM %s GROUP BY 1 ORDER BY 1"
	c.t.Log(c.run(append(replay, "flows_again")...))
	got, want := c.query(fmt.Sprintf(sums, "flows_again")), c.query(fmt.Sprintf(sums, "flows"))
	if got != want {
		c.t.Errorf("flows differ from those of an undisturbed decode; exporter, rows, sums:\n%s\nwant:\n%s", got, want)
	}
	one := c.query("SELECT replaceOne(toString(max(sampler_address)), '::ffff:', '') FROM flows")
	c.t.Log(c.run(append(replay, "flows_of_one", "--exporter", one)...))
	if got := c.query(fmt.Sprintf(sums, "flows_of_one")); got != want[strings.LastIndexByte(want, '\n')+1:] {
		c.t.Errorf("flows of %s alone: %s", one, got)
	}
}

// expectSums waits until a table of sums holds those over flows, by keys.
func (c *cluster) expectSums(table, keys string) {
	c.t.Helper()
	const order = " GROUP BY %[1]s ORDER BY %[1]s"
	want := c.query(fmt.Sprintf("SELECT %s, sum(bytes), sum(packets), count() FROM flows"+order, keys))
	c.expect(fmt.Sprintf("SELECT %s, sum(bytes), sum(packets), sum(flows) FROM %s GROUP BY %[1]s ORDER BY %[1]s", keys, table), want)
}

// report prints what was done and found.
func (c *cluster) report(f *faults, stands *pauses, load *traffic.Load) {
	c.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d faults\n", f.all())
	for _, kind := range kinds() {
		fmt.Fprintf(&b, "  %-40s %5d\n", kind, f.made[kind])
	}
	if f.aborts > 0 {
		fmt.Fprintf(&b, "  %-40s %5d\n", "ClickHouse aborted by itself", f.aborts)
	}
	b.WriteString("longest pause of a partition while input waited, all faults included\n")
	stands.mu.Lock()
	for _, stage := range []string{"decode", "enrich", "aggregate", "insert"} {
		if s := stands.stages[stage]; s != nil {
			fmt.Fprintf(&b, "  %-40s %5.1f s  %s\n", stage, s.longest.Seconds(), s.where)
		}
	}
	stands.mu.Unlock()
	var sent traffic.Counts
	for _, s := range load.Sent() {
		sent.Add(s.Counts)
	}
	fmt.Fprintf(&b, "flows sent %d, rows found %s\n", sent.Flows, c.query("SELECT count() FROM flows"))
	c.t.Log(b.String())
}
