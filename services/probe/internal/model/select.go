// SPDX-License-Identifier: Apache-2.0

package model

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/meter"
)

// selectionProcesses returns the index of each.
func (p *parser) selectionProcesses(caches map[string]int) map[string]int {
	all := map[string]int{}
	for _, s := range p.doc.SelectionProcess {
		where := fmt.Sprintf("selectionProcess %q", s.Name)
		process := Process{Name: s.Name, Cache: -1}
		if i, ok := caches[s.Cache]; ok {
			process.Cache = i
		} else if s.Cache != "" {
			p.wrong("%s: there is no cache %q", where, s.Cache)
		}
		samplers := 0
		for _, one := range s.Selector {
			process.Selectors = append(process.Selectors, p.selector(fmt.Sprintf("%s: selector %q", where, one.Name), one))
			if m := process.Selectors[len(process.Selectors)-1].Method; m != meter.All && m != meter.Match {
				samplers++
			}
		}
		if len(s.Selector) == 0 || samplers > 1 {
			p.wrong("%s: want one selector or more, and at most one that samples", where)
		}
		unique(p, all, "selectionProcess", s.Name, len(p.plan.Processes))
		p.plan.Processes = append(p.plan.Processes, process)
	}
	p.oneSampling()
	return all
}

// oneSampling reports a cache whose flows would be of packets that were sampled in several
// ways: no interval would be right for them.
func (p *parser) oneSampling() {
	for c := range p.plan.Caches {
		feeding, sampling := 0, 0
		for i := range p.plan.Processes {
			if process := &p.plan.Processes[i]; process.Cache == c {
				feeding++
				if process.Sampler() != nil {
					sampling++
				}
			}
		}
		if sampling > 0 && feeding > 1 {
			p.wrong("cache %q: takes packets of %d selection processes, and not all select the same", p.plan.Caches[c].Name, feeding)
		}
	}
}

// selector reads one; exactly one of its methods must be there.
func (p *parser) selector(where string, s selector) (out meter.Selector) {
	methods := 0
	method := func(there bool, m meter.Method) bool {
		if there {
			methods++
			out.Method = m
		}
		return there
	}
	method(bool(s.SelectAll), meter.All)
	if c := s.SampCountBased; method(c != nil, meter.CountBased) {
		out.Interval, out.Space = uint32(c.PacketInterval), uint32(c.PacketSpace)
		p.within(where, "packetInterval", float64(c.PacketInterval), 1, math.MaxInt32)
		p.within(where, "packetSpace", float64(c.PacketSpace), 0, math.MaxInt32)
	}
	if t := s.SampTimeBased; method(t != nil, meter.TimeBased) {
		out.TimeInterval, out.TimeSpace = time.Duration(t.TimeInterval)*time.Microsecond, time.Duration(t.TimeSpace)*time.Microsecond
		p.within(where, "timeInterval", float64(t.TimeInterval), 1, math.MaxUint32)
		p.within(where, "timeSpace", float64(t.TimeSpace), 0, math.MaxUint32)
	}
	if r := s.SampRandOutOfN; method(r != nil, meter.RandomOfN) {
		out.Size, out.Population = uint32(r.Size), uint32(r.Population)
		p.within(where, "population", float64(r.Population), 1, math.MaxUint32)
		p.within(where, "size", float64(r.Size), 1, float64(r.Population))
	}
	if u := s.SampUniProb; method(u != nil, meter.Uniform) {
		out.Probability = float64(u.Probability)
		if u.Probability <= 0 || u.Probability > 1 {
			p.wrong("%s: probability is %v, want more than 0 and at most 1", where, u.Probability)
		}
	}
	if f := s.FilterMatch; method(f != nil, meter.Match) {
		p.match(where, f, &out)
	}
	if s.FilterHash != nil {
		p.wrong("%s: filterHash is not supported", where)
	} else if methods != 1 {
		p.wrong("%s: has %d methods, want one", where, methods)
	}
	return out
}

func (p *parser) within(where, name string, v, least, most float64) {
	if v < least || v > most || v != math.Trunc(v) {
		p.wrong("%s: %s is %v, want a whole number from %.0f to %.0f", where, name, v, least, most)
	}
}

func (p *parser) match(where string, f *filterMatch, out *meter.Selector) {
	e, err := find(f.IEName, f.IEID)
	if err == nil && (f.IEEnterpriseNumber != 0 || !e.Value.OfPacket() || e.Length == element.Variable) {
		err = fmt.Errorf("element %q: a packet does not have it", e.Name)
	}
	if err != nil {
		p.wrong("%s: %w", where, err)
		return
	}
	out.Element = e
	if out.Value, err = value(e, f.Value); err != nil {
		p.wrong("%s: value: %w", where, err)
	}
}

// value reads the text of a value.
func value(e element.Element, text string) ([]byte, error) {
	switch {
	case e.Length == 6:
		mac, err := hex.DecodeString(strings.NewReplacer(":", "", "-", "").Replace(text))
		if err != nil || len(mac) != 6 {
			return nil, fmt.Errorf("%q is no Ethernet address", text)
		}
		return mac, nil
	case e.Kept() && e.Family != 0:
		a, err := netip.ParseAddr(text)
		if err == nil && a.Is4() != (e.Family == 4) {
			err = fmt.Errorf("%q is no IPv%d address", text, e.Family)
		}
		return a.AsSlice(), err
	}
	v, err := strconv.ParseUint(text, 0, min(8*int(e.Length), 64))
	if err != nil {
		return nil, fmt.Errorf("%q: want a number of %d octets", text, e.Length)
	}
	return element.AppendUint(nil, v, e.Length), nil
}

// find finds an element by the one of name and id that is given.
func find(name string, id uint16) (element.Element, error) {
	if (name == "") == (id == 0) {
		return element.Element{}, fmt.Errorf("want one of ieName and ieId")
	}
	e, ok := element.ByName(name)
	if name == "" {
		e, ok = element.ByID(id)
		name = strconv.Itoa(int(id))
	}
	if !ok {
		return e, fmt.Errorf("element %s: is none that the probe can measure", name)
	}
	return e, nil
}
