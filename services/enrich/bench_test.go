// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/weirflow/weir/flow"
)

// writeLargeDatabase has an AS and a country for each of n random /24.
func writeLargeDatabase(t testing.TB, path string, n int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 6))
	records := map[string]mmdbtype.Map{"0.0.0.0/0": {}}
	for range n {
		v := rnd.Uint32()
		record := countryOf(country(1 + rnd.Uint32N(250)).String())
		maps.Copy(record, asn(1+rnd.Uint32N(60_000)))
		records[fmt.Sprintf("%d.%d.%d.0/24", v>>24, v>>16&255, v>>8&255)] = record
	}
	writeDatabase(t, path, "both", records)
}

func BenchmarkEnrich(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	writeLargeDatabase(b, path, 200_000)
	for _, bb := range []struct {
		name      string
		databases []string
		addresses int
	}{
		{"no databases", nil, 10_000},
		{"10000 addresses", []string{path}, 10_000},
		{"40000 addresses", []string{path}, 40_000},
		{"no address twice", []string{path}, 1 << 31},
	} {
		b.Run(bb.name, func(b *testing.B) {
			const rows = 1000
			e := newEnricher(newTestLibrary(b, bb.databases, bb.databases), DefaultConfig().CacheEntries)
			var messages [][]byte
			for i := range 200 {
				messages = append(messages, randomBatch(uint64(i), rows, bb.addresses).AppendVT(nil))
			}
			in, out := new(flow.Batch), new(flow.Batch)
			enrich := func(message []byte) {
				out.Reset()
				if err := in.UnmarshalVTUnsafe(message); err != nil {
					b.Fatal(err)
				}
				e.enrich(in, out)
			}
			for _, message := range messages {
				enrich(message)
			}
			e.counts = counts{}
			i := 0
			for b.Loop() {
				enrich(messages[i%len(messages)])
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/flow")
			b.ReportMetric(100*float64(e.counts.misses)/float64(2*b.N*rows), "%missed")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	path := filepath.Join(b.TempDir(), "db")
	writeLargeDatabase(b, path, 200_000)
	for b.Loop() {
		if _, err := load(path); err != nil {
			b.Fatal(err)
		}
	}
}
