// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// noise is flows of which nothing repeats.
func noise(rnd *rand.Rand, rows int) *flow.Batch {
	var b flow.Batch
	for range rows {
		var r flow.Record
		for _, f := range []flow.Field{flow.SrcAddr, flow.DstAddr} {
			var a [16]byte
			binary.LittleEndian.PutUint64(a[:8], rnd.Uint64())
			binary.LittleEndian.PutUint64(a[8:], rnd.Uint64())
			r.SetAddress(f, a)
		}
		r.SetNumber(flow.TimeReceivedNs, base)
		r.SetNumber(flow.Bytes, rnd.Uint64()>>20)
		r.SetNumber(flow.Packets, rnd.Uint64()>>20)
		r.SetNumber(flow.SamplingRate, rnd.Uint64N(1<<16))
		b.Append(&r)
	}
	return &b
}

func pairs() Config {
	cfg := DefaultConfig()
	cfg.Builtin, cfg.Rollups = nil, []rollup.Rollup{{Name: "pairs_1m", Window: time.Minute, Keys: []string{"src_addr", "dst_addr"}}}
	return cfg
}

func openPartition(t *testing.T, cfg Config, s *shares) *partition {
	t.Helper()
	p, err := newPartition(cfg, s, newMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler), 3)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hold gives p flows until it wants to flush.
func hold(t *testing.T, p *partition, rnd *rand.Rand) {
	t.Helper()
	for time.Until(p.Due()) > 0 || p.due.IsZero() {
		if err := p.Handle(t.Context(), noise(rnd, 1000), nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatNoMessageHoldsComesInSmallerOnes(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 3))
	cfg := pairs()
	cfg.FlushInterval = time.Hour
	s := newShares(1 << 30)
	refused := 0
	for {
		p := openPartition(t, cfg, s)
		p.windows.greatest, p.windows.views[0].closed = base, base/second // nothing closes
		hold(t, p, rnd)
		var out weirv1.RollupBatch
		err := p.Flush(context.Background(), &out)
		p.close()
		if err == nil {
			if n := len(s2.Encode(nil, out.AppendVT(nil))); n > bus.MaxPayload {
				t.Errorf("a message of %d octets", n)
			}
			break
		}
		if refused++; refused > 3 {
			t.Fatalf("after %d times: %v", refused, err)
		}
	}
	if refused == 0 {
		t.Error("the rows fitted at once: nothing was tested")
	}
}

func TestPartitionsShareTheMemory(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(4, 4))
	cfg := pairs()
	cfg.FlushInterval = time.Hour
	const octets = 8 << 20
	s := newShares(octets)
	var parts []*partition
	for range 4 {
		p := openPartition(t, cfg, s)
		p.windows.greatest, p.windows.views[0].closed = base, base/second
		parts = append(parts, p)
	}
	used := 0
	for _, p := range parts {
		hold(t, p, rnd)
		used += p.windows.octets()
	}
	if used > octets*3/2 { // a table grows by doubling, and a batch is taken whole
		t.Errorf("four partitions use %d octets, may use %d", used, octets)
	}
	for _, p := range parts {
		rows := p.windows.rows()
		var out weirv1.RollupBatch
		if err := p.Flush(context.Background(), &out); err != nil || out.Rows() != rows || rows < 2000 {
			t.Errorf("%d of %d rows, %v", out.Rows(), rows, err)
		}
		if n := p.windows.octets(); n > octets/4 {
			t.Errorf("%d octets after a flush", n)
		}
	}
}
