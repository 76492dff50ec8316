// SPDX-License-Identifier: Apache-2.0

package template

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// FuzzCache has an exporter learn, use, forget by time and name what the octets say. The invariants:
// nothing is beyond the limits, all memory is given back, and what is kept comes back the same.
func FuzzCache(f *testing.F) {
	learn := []byte{0, 1, 0, 2, 0, 4, 0, 1, 0, 8, 0, 4}
	f.Add(learn)
	f.Add(bytes.Repeat(append(learn, 1, 1, 0, 1, 0, 10, 0, 4), 4))
	f.Add(append(bytes.Repeat([]byte{0, 2, 0, 1, 1, 0xe3, 0xff, 0xff}, 3), 2, 0, 200, 3, 7, 'e', 't', 'h', '0'))
	f.Fuzz(func(t *testing.T, p []byte) {
		limits := Limits{Domains: 3, Templates: 5, Fields: 8, Samplers: 4, Names: 6, LifetimeNs: 100}
		const memory = 12 << 10
		budget := &Budget{Left: memory}
		x := New(limits, budget)
		for r := (operations{p}); len(r.rest) > 0; {
			r.run(x)
			if budget.Left < 0 || x.templates > limits.Templates || len(x.domains) > limits.Domains || x.samplers > limits.Samplers || x.named > limits.Names {
				t.Fatalf("beyond the limits: %d octets are left, %d templates, %d domains, %d samplers, %d names",
					budget.Left, x.templates, len(x.domains), x.samplers, x.named)
			}
		}
		state := x.Append(nil)
		if len(state) > 16*(len(p)+16) {
			t.Fatalf("%d octets made a state of %d", len(p), len(state))
		}
		y, err := Load(state, limits, &Budget{Left: memory})
		if err != nil || !bytes.Equal(y.Append(nil), state) {
			t.Fatalf("a state of %d octets came back different: %v", len(state), err)
		}
		if x.Forget(); budget.Left != memory {
			t.Fatalf("%d of %d octets came back", budget.Left, memory)
		}
	})
}

// operations are what octets say.
type operations struct{ rest []byte }

// next returns an octet, 0 behind the last one.
func (o *operations) next() byte {
	if len(o.rest) == 0 {
		return 0
	}
	b := o.rest[0]
	o.rest = o.rest[1:]
	return b
}

func (o *operations) word() uint16 { return binary.BigEndian.Uint16([]byte{o.next(), o.next()}) }

func (o *operations) run(x *Exporter) {
	kind := o.next()
	d := x.Domain(10, uint32(kind>>4))
	if d == nil {
		return
	}
	var refused refusal.Counts
	id := 256 + uint16(o.next())
	switch kind & 3 {
	case 0, 1:
		t := &Template{ID: id, Options: kind&1 != 0, Scope: 1}
		for n := o.word() & 15; n > 0; n-- {
			t.Fields = append(t.Fields, Field{Element: ie.Element{ID: o.word()}, Length: o.word()})
		}
		x.Learn(d, t, &refused)
	case 2:
		x.At(x.nowNs + uint64(o.next()))
		x.Template(d, id, &refused)
	case 3:
		n := min(int(o.next()), len(o.rest))
		if t := d.Template(id); t != nil && t.Options {
			x.Options(d, t, o.rest[:n], &refused)
		}
		x.name(int(id)%numKinds, uint64(id), &label{name: textOf(o.rest[:n])})
		o.rest = o.rest[n:]
	}
}
