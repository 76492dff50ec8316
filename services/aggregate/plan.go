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
	measures, err := r.ParsedMeasures()
	if err != nil {
		return nil, err
	}
	v := &view{rollup: r, layout: newLayout(keys), measures: measures, lateness: lateness(r, allowed)}
	v.calendar, err = newCalendar(r)
	return v, err
}

// newSource makes a table that flows are added to for a rollup.
func newSource(v *view) (*source, error) {
	f, err := newFilter(v.rollup.Filter)
	if err != nil {
		return nil, err
	}
	s := &source{layout: v.layout, sides: 1, filter: f, calendar: v.calendar}
	if v.sided() {
		s.sides = 2
	}
	return s, nil
}

// sided tells whether each flow has two rows.
func (l layout) sided() bool {
	return slices.ContainsFunc(l.keys, func(k rollup.Key) bool { return k.Source == rollup.Direction })
}

// sidesOf returns the keys that a source of flows without sides needs for a key.
func sidesOf(k rollup.Key) []rollup.Key {
	switch k.Source {
	case rollup.Interface, rollup.Host:
		return []rollup.Key{fieldKey(fieldOf(k, 0)), fieldKey(fieldOf(k, 1))}
	case rollup.Direction:
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
	if s.filter.text() != v.rollup.Filter || !same || w.length%c.length != 0 || s.sides == 2 && !v.sided() {
		return false
	}
	for _, k := range v.keys {
		for _, needed := range s.needed(k) {
			if _, ok := s.find(needed); !ok {
				return false
			}
		}
	}
	return true
}

// needed returns the keys of the source that make a key of a view: one, or one for each side.
func (s *source) needed(k rollup.Key) []rollup.Key {
	if s.sides == 2 {
		return []rollup.Key{k}
	}
	return sidesOf(k)
}

// finish gives the source what its views measure, and them the way from it.
func (s *source) finish() {
	for _, v := range s.views {
		for _, m := range v.measures {
			for _, needed := range s.neededMeasures(m) {
				if !slices.Contains(s.measures, needed) {
					s.measures = append(s.measures, needed)
				}
			}
		}
	}
	s.spreads = slices.ContainsFunc(s.measures, func(m rollup.Measure) bool { return m.Of == rollup.Sum || m.Of == rollup.Scaled })
	s.table = newTable(s.words, freshSums(s.measures), s.calendar.length/1e9)
	for _, v := range s.views {
		v.connect(s)
	}
}

// neededMeasures is needed for measures.
func (s *source) neededMeasures(m rollup.Measure) []rollup.Measure {
	if !m.Side || s.sides == 2 {
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
	if v.sided() && s.sides == 1 {
		v.sides = append(v.sides, v.side(s, 1))
	}
	seconds := v.calendar.length / 1e9
	v.sameKeys = len(v.sides) == 1 && slices.Equal(v.keys, s.keys)
	if !v.sameKeys {
		v.table, v.key = newTable(v.words, freshSums(v.measures), seconds), make([]uint64, v.words)
		for m := range v.measures {
			v.own = append(v.own, m)
		}
	}
	if v.rollup.Top > 0 {
		v.top = newTop(v.rollup.Top, v.words, v.measures, seconds)
	}
}

func (v *view) side(s *source, direction int) side {
	var sd side
	for i, k := range v.keys {
		m := move{to: v.places[i]}
		needed := s.needed(k)
		if len(needed) == 0 {
			m.constant = uint64(direction) //nolint:gosec // 0 or 1
		} else {
			m.from, _ = s.find(needed[min(direction, len(needed)-1)])
		}
		sd.keys = append(sd.keys, m)
	}
	for _, m := range v.measures {
		needed := s.neededMeasures(m)
		sd.measures = append(sd.measures, slices.Index(s.measures, needed[min(direction, len(needed)-1)]))
	}
	return sd
}
