// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/flow"
)

// watched is a library of one ASN database that the test refreshes, and its log.
type watched struct {
	*library
	path string
	log  bytes.Buffer
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{path: filepath.Join(t.TempDir(), "asn.mmdb")}
	cfg := DefaultConfig()
	cfg.ASNDatabases = []string{w.path}
	w.library = newLibrary(cfg, slog.New(slog.NewTextHandler(&w.log, nil)), newMetrics(prometheus.NewRegistry()))
	w.refresh()
	return w
}

// as returns the origin AS of a flow from 192.0.2.1, by a worker that lives through all changes.
func (w *watched) as(t *testing.T, e *enricher) uint64 {
	t.Helper()
	var out flow.Batch
	e.enrich(batchOf(testFlow{src: "192.0.2.1"}), &out)
	return out.Number(flow.SrcOriginAS, 0)
}

func TestLibraryFollowsItsFile(t *testing.T) {
	t.Parallel()
	w := watch(t)
	e := newEnricher(w.library, nil)
	want := func(promise string, as uint64, warnings int) {
		t.Helper()
		for range 3 {
			w.refresh()
		}
		if got := w.as(t, e); got != as {
			t.Errorf("%s: AS %d, want %d", promise, got, as)
		}
		if got := strings.Count(w.log.String(), "level=WARN"); got != warnings {
			t.Errorf("%s: %d warnings so far, want %d:\n%s", promise, got, warnings, &w.log)
		}
	}
	write := func(as uint32) {
		writeDatabase(t, w.path, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.2.0/24": asn(as)})
	}

	want("an absent file is said once", 0, 1)
	write(64496)
	want("a file that comes is taken up", 64496, 1)
	write(64497)
	want("a new file takes its place", 64497, 1)
	good, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, w.path, good[:len(good)/2])
	want("a truncated file leaves the old one, and is said once", 64497, 2)
	overwrite(t, w.path, []byte("garbage"))
	want("so does garbage after it", 64497, 2)
	write(64498)
	want("a good file ends that", 64498, 2)
	if err := os.Remove(w.path); err != nil {
		t.Fatal(err)
	}
	want("a removed file leaves the old one, and is said once", 64498, 3)
	write(64499)
	want("and comes back", 64499, 3)
	overwrite(t, w.path, good)
	want("a file that is overwritten in place is read anew", 64497, 3)
	if got := testutil.ToFloat64(w.m.reloads.WithLabelValues(w.path)); got != 5 {
		t.Errorf("%v reloads counted, want 5", got)
	}
	if got := testutil.ToFloat64(w.m.loadErrors.WithLabelValues(w.path)); got != 2 {
		t.Errorf("%v load errors counted, want 2", got)
	}
}

// overwrite replaces the content of a file in place, at a time of its own.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000, rand.Int64N(1e9))); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedRecordsAreRefused(t *testing.T) {
	t.Parallel()
	w := watch(t)
	writeDatabase(t, w.path, "GeoLite2-ASN", map[string]mmdbtype.Map{"192.0.2.0/24": asn(64496)})
	b, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	// The control octet of the number becomes a map with more entries than there are octets.
	i := bytes.Index(b, []byte("autonomous_system_number")) + len("autonomous_system_number")
	b[i] = 0xff
	overwrite(t, w.path, b)
	if r, err := load(w.path); err == nil {
		t.Errorf("loaded %s with a damaged record", r.Metadata.DatabaseType)
	}
}

func TestIPv4DatabaseHasNoErrorForIPv6(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	w, err := mmdbwriter.New(mmdbwriter.Options{IPVersion: 4, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, w, "192.0.2.0/24", asn(64496))
	writeTree(t, path, w)
	e := newEnricher(newTestLibrary(t, []string{path}, nil), nil)
	var out flow.Batch
	e.enrich(batchOf(testFlow{src: "192.0.2.1", dst: "2001:db8::1"}), &out)
	if diff := cmp.Diff([]enriched{{SrcAS: 64496, Quality: flow.ASUnknown}}, rowsOf(&out)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	w := watch(t)
	write := func(as uint32) {
		writeDatabase(t, w.path, "GeoLite2-ASN", map[string]mmdbtype.Map{"0.0.0.0/0": asn(as)})
	}
	write(1)
	w.refresh()
	const last = 30
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var workers sync.WaitGroup
	for n := range 3 {
		workers.Go(func() {
			e := newEnricher(w.library, nil)
			for seen := uint64(0); seen != last; {
				var out flow.Batch
				e.enrich(randomBatch(uint64(n), 300, 1000), &out)
				as, err := oneAS(&out)
				if err != nil || as < seen || ctx.Err() != nil {
					t.Errorf("after AS %d: AS %d, %v, %v", seen, as, err, ctx.Err())
					return
				}
				seen = as
			}
		})
	}
	for as := range uint32(last) {
		write(as + 1)
		w.refresh()
	}
	workers.Wait()
}

// oneAS returns the AS that all ends of a batch have.
func oneAS(b *flow.Batch) (uint64, error) {
	as := b.Number(flow.SrcOriginAS, 0)
	for i := range b.Rows() {
		if s, d := b.Number(flow.SrcOriginAS, i), b.Number(flow.DstOriginAS, i); s != as || d != as {
			return as, fmt.Errorf("row %d is of AS %d and %d", i, s, d)
		}
	}
	return as, nil
}

// lookupElsewhere asks libmaxminddb's own tool.
func lookupElsewhere(t *testing.T, tool, path string, addr netip.Addr) (as uint64, code string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), tool, "--file", path, "--ip", addr.String()).CombinedOutput()
	if err != nil && !bytes.Contains(out, []byte("Could not find an entry")) {
		t.Errorf("mmdblookup %v: %v\n%s", addr, err, out)
	}
	if m := regexp.MustCompile(`"autonomous_system_number":\s+(\d+) <`).FindSubmatch(out); m != nil {
		as, _ = strconv.ParseUint(string(m[1]), 10, 32)
	}
	if m := regexp.MustCompile(`"iso_code":\s+"(\w+)" <`).FindSubmatch(out); m != nil {
		code = string(m[1])
	}
	return as, code
}

func TestAgreesWithLibmaxminddb(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("mmdblookup")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("mmdblookup (Debian: mmdb-bin) is not installed")
		}
		t.Skip("mmdblookup (Debian: mmdb-bin) is not installed")
	}
	path := filepath.Join(t.TempDir(), "db")
	rnd := rand.New(rand.NewPCG(9, 9))
	records := map[string]mmdbtype.Map{}
	for range 3000 {
		record := asn(rnd.Uint32())
		if rnd.IntN(4) > 0 {
			record["country"] = mmdbtype.Map{"iso_code": mmdbtype.String(country(1 + rnd.IntN(numCountries-1)).String())}
		}
		records[netip.PrefixFrom(randomAddr(rnd), 4+rnd.IntN(29)).Masked().String()] = record
	}
	writeDatabase(t, path, "both", records)

	addresses := 10_000 // some 20 s
	if testing.Short() {
		addresses = 200
	}
	var flows []testFlow
	for range addresses {
		flows = append(flows, testFlow{src: randomAddr(rnd).String()})
	}
	var out flow.Batch
	newEnricher(newTestLibrary(t, []string{path}, []string{path}), nil).enrich(batchOf(flows...), &out)
	rows := rowsOf(&out)

	var known atomic.Int32
	var workers sync.WaitGroup
	for n := range 4 {
		workers.Go(func() {
			for i := n; i < len(flows); i += 4 {
				as, code := lookupElsewhere(t, tool, path, netip.MustParseAddr(flows[i].src))
				if rows[i].SrcAS != as || rows[i].SrcCountry != code {
					t.Errorf("%v: AS %d country %q, mmdblookup says %d and %q", flows[i].src, rows[i].SrcAS, rows[i].SrcCountry, as, code)
				}
				if as != 0 && code != "" {
					known.Add(1)
				}
			}
		})
	}
	workers.Wait()
	if int(known.Load()) < addresses/5 {
		t.Errorf("only %d of %d addresses are in the database", known.Load(), addresses)
	}
}

// randomAddr is IPv4, or IPv6 in a small part of the space.
func randomAddr(rnd *rand.Rand) netip.Addr {
	v := rnd.Uint32()
	if rnd.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	return netip.AddrFrom16([16]byte{0x20 | byte(v>>28), byte(v >> 16), byte(v >> 8), byte(v), 15: 1})
}
