// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/flow/rollup"
)

// plan decides which rollups are summed up flow by flow, and which of these make the others
// when they are flushed: sums of sums are the same sums, and there are fewer of them.
func plan(rollups []rollup.Rollup, allowed time.Duration) ([]*source, error) {
	sorted := slices.Clone(rollups)
	slices.SortStableFunc(sorted, func(a, b rollup.Rollup) int {
		return cmp.Or(cmp.Compare(a.Window, b.Window), cmp.Compare(len(b.Keys), len(a.Keys)))
	})
	var sources []*source
	for _, r := range sorted {
		v, err := newView(r, allowed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		i := slices.IndexFunc(sources, func(s *source) bool { return s.makes(v) })
		if i < 0 {
			s, err := newSource(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Name, err)
			}
			i = len(sources)
			sources = append(sources, s)
		}
		sources[i].views = append(sources[i].views, v)
	}
	for _, s := range sources {
		s.finish()
	}
	return sources, nil
}

func newView(r rollup.Rollup, allowed time.Duration) (*view, error) {
	keys, err := r.ParsedKeys()
	if err != nil {
		return nil, err
	}
	if r.Top > 0 {
		keys = append(keys, other)
	}
	measures, err := r.ParsedMeasures()
	if err != nil {
		return nil, err
	}
	v := &view{rollup: r, layout: newLayout(keys), measures: measures, top: r.Top, lateness: lateness(r, allowed)}
	v.table, v.key = newTable(v.words, freshSums(measures)), make([]uint64, v.words)
	v.folded = newTable(v.words, freshSums(measures))
	v.calendar, err = newCalendar(r)
	return v, err
}

// other is the key that tells folded rows apart.
//
//nolint:gochecknoglobals // a constant
var other = rollup.Key{Name: rollup.OtherColumn, Kind: flow.Number, Width: 1, Source: folded}

// folded is a source that is no part of a flow.
const folded rollup.Source = 255

// newSource makes a table that flows are added to for a rollup.
func newSource(v *view) (*source, error) {
	f, err := newFilter(v.rollup.Filter)
	if err != nil {
		return nil, err
	}
	var keys []rollup.Key
	for _, k := range v.keys {
		if k.Source != folded {
			keys = append(keys, sidesOf(k)...)
		}
	}
	return &source{layout: newLayout(keys), filter: f, calendar: v.calendar}, nil
}

// sidesOf returns the keys that a source needs for a key.
func sidesOf(k rollup.Key) []rollup.Key {
	switch k.Source {
	case rollup.Interface:
		return []rollup.Key{fieldKey(flow.InIf), fieldKey(flow.OutIf)}
	case rollup.Direction, folded:
		return nil
	default:
		return []rollup.Key{k}
	}
}

func fieldKey(f flow.Field) rollup.Key {
	info := f.Info()
	return rollup.Key{Name: info.Name, Type: info.Type, Kind: info.Kind, Width: info.Width, Field: f}
}

// makes tells whether the rollup of v can be made of the source's sums.
func (s *source) makes(v *view) bool {
	c, w := s.calendar, v.calendar
	same := c.zone == nil && w.zone == nil || c.zone != nil && w.zone != nil && c.zone.String() == w.zone.String()
	if s.filter.text() != v.rollup.Filter || !same || w.length%c.length != 0 {
		return false
	}
	for _, k := range v.keys {
		for _, needed := range sidesOf(k) {
			if _, ok := s.find(needed); !ok {
				return false
			}
		}
	}
	return true
}

// finish gives the source what its views measure, and them the way from it.
func (s *source) finish() {
	for _, v := range s.views {
		for _, m := range v.measures {
			for _, needed := range sidesOfMeasure(m) {
				if !slices.Contains(s.measures, needed) {
					s.measures = append(s.measures, needed)
				}
			}
		}
	}
	s.table = newTable(s.words, freshSums(s.measures))
	s.spent = make([]uint64, len(s.measures))
	for _, v := range s.views {
		v.connect(s)
	}
}

// sidesOfMeasure returns the measures that a source needs for a measure.
func sidesOfMeasure(m rollup.Measure) []rollup.Measure {
	if !m.Side {
		return []rollup.Measure{m}
	}
	in, out := m, m
	in.Side, out.Side = false, false
	in.Name, out.Name = "max_"+m.Field.Info().Name, "max_"+m.Output.Info().Name
	in.Output, out.Field, out.Output = 0, m.Output, 0
	return []rollup.Measure{in, out}
}

// connect finds the way of keys and measures from the source.
func (v *view) connect(s *source) {
	v.sides = []side{v.side(s, 0)}
	if slices.ContainsFunc(v.keys, func(k rollup.Key) bool { return k.Source == rollup.Interface }) {
		v.sides = append(v.sides, v.side(s, 1))
	}
	v.sameKeys = len(v.sides) == 1 && len(v.keys) >= len(s.keys) && len(v.measures) <= len(s.measures) &&
		slices.Equal(v.keys[:len(s.keys)], s.keys) && slices.Equal(v.places[:len(s.keys)], s.places) &&
		slices.Equal(v.measures, s.measures[:len(v.measures)])
	v.direct = v.sameKeys && v.calendar.length == s.calendar.length
}

func (v *view) side(s *source, direction int) side {
	var sd side
	for i, k := range v.keys {
		m := move{to: v.places[i]}
		switch k.Source {
		case folded:
			continue
		case rollup.Direction:
			m.constant = uint64(direction) //nolint:gosec // 0 or 1
		case rollup.Interface:
			m.from, _ = s.find(sidesOf(k)[direction])
		default:
			m.from, _ = s.find(k)
		}
		sd.keys = append(sd.keys, m)
	}
	for _, m := range v.measures {
		needed := sidesOfMeasure(m)
		sd.measures = append(sd.measures, slices.Index(s.measures, needed[min(direction, len(needed)-1)]))
	}
	return sd
}
