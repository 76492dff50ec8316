// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/maxmind/mmdbwriter"

	"github.com/weirflow/weir/flow"
)

// near is a random address in a few blocks, so that many share one.
func near(rnd *rand.Rand) netip.Addr {
	a := [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 5: byte(rnd.IntN(8)), 6: byte(rnd.IntN(4)), 15: byte(rnd.IntN(4))}
	if rnd.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{10, 0, byte(rnd.IntN(8)), byte(rnd.Uint32())})
	}
	return netip.AddrFrom16(a)
}

// nested returns n prefixes, the least specific first.
func nested(rnd *rand.Rand, n int) []netip.Prefix {
	var list []netip.Prefix
	for range n {
		addr := near(rnd)
		p, _ := addr.Prefix(addr.BitLen() - rnd.IntN(addr.BitLen()/2))
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int { return cmp.Compare(a.Bits(), b.Bits()) })
	return slices.Compact(list)
}

// specific is the last of the prefixes that has an address, 0 if none has, else its place + 1.
func specific(list []netip.Prefix, addr netip.Addr) (n int) {
	for i, p := range list {
		if p.Contains(addr) {
			n = i + 1
		}
	}
	return n
}

// TestEachAddressOfABlockHasItsOwn: what is remembered of blocks is never said of an address that has
// a more specific prefix in a database, a network, a VRF or a rule of privacy.
func TestEachAddressOfABlockHasItsOwn(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		ases, nets, inVRF, hides := nested(rnd, 30), nested(rnd, rnd.IntN(20)), nested(rnd, rnd.IntN(10)), nested(rnd, rnd.IntN(10))
		w, err := mmdbwriter.New(mmdbwriter.Options{RecordSize: 28, IncludeReservedNetworks: true})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range ases {
			insert(t, w, p.String(), asn(uint32(i+1)))
		}
		cfg := DefaultConfig()
		cfg.ASNDatabases, cfg.CacheEntries = []string{filepath.Join(t.TempDir(), "db")}, 64
		writeTree(t, cfg.ASNDatabases[0], w)
		for i, p := range nets {
			cfg.Networks = append(cfg.Networks, networkConfig{CIDR: prefixList{p}, Name: fmt.Sprint("net-", i+1)})
		}
		for i, p := range inVRF {
			cfg.Networks = append(cfg.Networks, networkConfig{CIDR: prefixList{p}, VRF: "7", Name: fmt.Sprint("vrf-", i+1)})
		}
		for _, p := range hides {
			cfg.Privacy.Hide = append(cfg.Privacy.Hide, hideConfig{CIDR: prefixList{p}, Mode: "truncate"})
		}
		e := newEnricher(newConfiguredLibrary(t, cfg), nil)
		for range 2000 {
			addr, vrf := near(rnd), 7*rnd.Uint64N(2)
			var in, out flow.Batch
			var r flow.Record
			r.SetAddress(flow.SrcAddr, addr.As16())
			r.SetNumber(flow.IngressVRFID, vrf)
			in.Append(&r)
			e.enrich(&in, &out)
			name := ""
			if n := specific(nets, addr); n > 0 {
				name = fmt.Sprint("net-", n)
			}
			if n := specific(inVRF, addr); n > 0 && vrf == 7 {
				name = fmt.Sprint("vrf-", n)
			}
			want := fmt.Sprint(specific(ases, addr), name, specific(hides, addr) > 0)
			got := fmt.Sprint(out.Number(flow.SrcOriginAS, 0), out.Text(flow.SrcNetName, 0), out.Number(flow.Quality, 0)&flow.AddressHidden != 0)
			if got != want {
				t.Fatalf("seed %d: %v in VRF %d is %s, want %s", seed, addr, vrf, got, want)
			}
		}
		if e.counts.hits < e.counts.misses/4 {
			t.Errorf("seed %d: %d hits and %d misses", seed, e.counts.hits, e.counts.misses)
		}
	}
}
