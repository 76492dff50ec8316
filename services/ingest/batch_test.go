// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/weirflow/weir/flow"
)

func testDatagram(size int) *flow.Datagram {
	source := netip.MustParseAddrPort("192.0.2.1:9")
	return &flow.Datagram{Exporter: source.Addr(), Source: source, Payload: make([]byte, size)}
}

func TestBatchGoesOutBeforeItGrowsBeyondItsSize(t *testing.T) {
	t.Parallel()
	var sizes []int
	b := batch{publish: func(d *flow.Datagrams) error {
		sizes = append(sizes, d.SizeVT())
		return nil
	}}
	for range 1000 {
		if err := b.add(testDatagram(1400)); err != nil {
			t.Fatal(err)
		}
	}
	if len(sizes) == 0 {
		t.Fatal("nothing was published")
	}
	for _, size := range sizes {
		if size > maxBatchBytes || size < maxBatchBytes*9/10 {
			t.Errorf("a batch of %d octets was published, want nearly %d", size, maxBatchBytes)
		}
	}
}

func TestLargestDatagramIsABatchOfItsOwn(t *testing.T) {
	t.Parallel()
	var rows []int
	b := batch{publish: func(d *flow.Datagrams) error {
		rows = append(rows, d.Rows())
		return nil
	}}
	for range 3 {
		if err := b.add(testDatagram(65507)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.flush(); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Errorf("batches have %v rows, want 3 of one", rows)
	}
}

func TestBatchKeepsWhatItHoldsWhenItCannotBePublished(t *testing.T) {
	t.Parallel()
	full, published := errors.New("full"), 0
	away := full
	b := batch{publish: func(d *flow.Datagrams) error {
		if away == nil {
			published += d.Rows()
		}
		return away
	}}
	added := 0
	for range 100 {
		if err := b.add(testDatagram(1400)); err == nil {
			added++
		} else if !errors.Is(err, full) {
			t.Fatal(err)
		}
	}
	if added == 0 || added == 100 {
		t.Fatalf("%d of 100 were added, want some", added)
	}
	away = nil
	if err := b.flush(); err != nil || published != added {
		t.Errorf("%d of %d were published: %v", published, added, err)
	}
}
