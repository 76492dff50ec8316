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
	c, err := newCalendar(r)
	return &view{rollup: r, lateness: lateness(r, allowed), grouping: newGrouping(keys, measures, c)}, err
}

func newGrouping(keys []rollup.Key, measures []rollup.Measure, c calendar) grouping {
	g := grouping{layout: newLayout(keys), sides: 1, measures: measures, calendar: c}
	if slices.ContainsFunc(keys, func(k rollup.Key) bool { return k.Source == rollup.Direction }) {
		g.sides = 2
	}
	return g
}

// newSource makes a table that flows are added to for a rollup.
func newSource(v *view) (*source, error) {
	f, err := newFilter(v.rollup.Filter)
	if err != nil {
		return nil, err
	}
	return &source{grouping: newGrouping(v.keys, nil, v.calendar), filter: f}, nil
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
	if s.filter.text() != v.rollup.Filter || !same || w.length%c.length != 0 || s.sides > v.sides {
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

// needed returns the keys that make a key of a view: one, or one for each side.
func (g *grouping) needed(k rollup.Key) []rollup.Key {
	if g.sides == 2 {
		return []rollup.Key{k}
	}
	return sidesOf(k)
}

// finish gives the source what its views measure, and them the way from it.
func (s *source) finish() {
	for _, v := range s.views {
		s.measure(v)
	}
	s.spreads = slices.ContainsFunc(s.measures, func(m rollup.Measure) bool { return m.Of == rollup.Sum || m.Of == rollup.Scaled })
	s.makeTable()
	for _, v := range s.views {
		v.connect(&s.grouping)
	}
}

// measure gives the grouping what it lacks of the measures that a view needs.
func (g *grouping) measure(v *view) {
	for _, m := range v.measures {
		for _, needed := range g.neededMeasures(m) {
			if !slices.Contains(g.measures, needed) {
				g.measures = append(g.measures, needed)
			}
		}
	}
}

func (g *grouping) makeTable() { g.table = newTable(g.words, freshSums(g.measures), g.seconds()) }

// seconds is the length of the windows.
func (g *grouping) seconds() uint64 { return g.calendar.length / 1e9 }

// neededMeasures is needed for measures.
func (g *grouping) neededMeasures(m rollup.Measure) []rollup.Measure {
	if !m.Side || g.sides == 2 {
		return []rollup.Measure{m}
	}
	in, out := m, m
	in.Side, out.Side = false, false
	in.Name, out.Name = "max_"+m.Field.Info().Name, "max_"+m.Output.Info().Name
	in.Output, out.Field, out.Output = 0, m.Output, 0
	return []rollup.Measure{in, out}
}

// connect finds the way from a grouping.
func (v *view) connect(g *grouping) {
	v.sameKeys = slices.Equal(v.keys, g.keys)
	if !v.sameKeys {
		v.makeTable()
		v.key = make([]uint64, v.words)
	}
	if v.rollup.Top > 0 {
		v.top = newTop(v.rollup.Top, v.words, v.measures, v.seconds())
	}
	if v.sides == g.sides {
		v.ways = []way{v.way(g, 0)}
		return
	}
	if both := v.bothEnds(g); !slices.Equal(both.keys, g.keys) {
		both.connect(g)
		v.through, g = both, &both.grouping
	}
	v.ways = []way{v.way(g, 0), v.way(g, 1)}
}

// bothEnds makes the view that has both ends of a flow as keys: they are far fewer than g has, so
// that it takes little to have each of them twice.
func (v *view) bothEnds(g *grouping) *view {
	var keys []rollup.Key
	for _, k := range v.keys {
		keys = append(keys, g.needed(k)...)
	}
	both := &view{grouping: newGrouping(keys, nil, v.calendar)}
	both.measure(v)
	return both
}

func (v *view) way(g *grouping, side int) way {
	var w way
	for i, k := range v.keys {
		m := move{to: v.places[i]}
		needed := g.needed(k)
		if len(needed) == 0 {
			m.constant = uint64(side) //nolint:gosec // 0 or 1
		} else {
			m.from, _ = g.find(needed[min(side, len(needed)-1)])
		}
		w.keys = append(w.keys, m)
	}
	for _, m := range v.measures {
		needed := g.neededMeasures(m)
		w.measures = append(w.measures, slices.Index(g.measures, needed[min(side, len(needed)-1)]))
	}
	return w
}
