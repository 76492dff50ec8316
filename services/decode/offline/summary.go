// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"fmt"
	"io"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
)

// tally counts what became of captures.
type tally struct {
	late     uint64
	counts   datagram.Counts
	counters [flow.NumCounterTables]uint64
}

func (t *tally) add(c *datagram.Counts) {
	for i := range c.Datagrams {
		t.counts.Datagrams[i] += c.Datagrams[i]
		t.counts.Flows[i] += c.Flows[i]
	}
	for i := range c.Refused {
		t.counts.Refused[i] += c.Refused[i]
	}
	t.counts.Templates += c.Templates
}

// release adds what came of a set that waited. It was refused before, and its datagram counted.
func (t *tally) release(c *datagram.Counts) {
	for _, n := range c.Flows {
		t.late += n
	}
	c.Datagrams = [row.NumTypes]uint64{}
	t.add(c)
	t.counts.Refused[refusal.TemplateUnknown]--
}

// Summary says what became of captures.
type Summary struct {
	Packets   uint64
	Late      uint64     // flows whose template came later
	Templates uint64     // that were new or changed
	Protocols []Protocol // that occurred
	Counters  []Counters // that occurred
	Ignored   []Refusal  // packets that are no export datagrams
	Refused   []Refusal  // parts of export datagrams
}

// Protocol is what there was of a protocol.
type Protocol struct {
	Name      string
	Datagrams uint64
	Flows     uint64
}

// Counters is how many rows of counters there were for a table.
type Counters struct {
	Table string
	Rows  uint64
}

// Refusal is how often something was left out, and why.
type Refusal struct {
	Reason string
	Count  uint64
	Why    string
}

// Summary returns what became of everything up to now.
func (d *Decoder) Summary() Summary {
	t := &d.tally
	s := Summary{Packets: d.captures.packets, Late: t.late, Templates: t.counts.Templates, Ignored: d.captures.ignored()}
	for i, n := range t.counts.Datagrams {
		if n != 0 && row.Type(i) != row.Unknown { //nolint:gosec // a few
			s.Protocols = append(s.Protocols, Protocol{row.Type(i).String(), n, t.counts.Flows[i]}) //nolint:gosec // a few
		}
	}
	for i, n := range t.counters {
		if n != 0 {
			s.Counters = append(s.Counters, Counters{flow.CounterTable(i).Name(), n}) //nolint:gosec // a few
		}
	}
	for i, n := range t.counts.Refused {
		if r := refusal.Reason(i); n != 0 { //nolint:gosec // a few
			s.Refused = append(s.Refused, Refusal{r.String(), n, r.Why()})
		}
	}
	return s
}

// Write writes the summary for people.
func (s *Summary) Write(w io.Writer) {
	fmt.Fprintf(w, "%d packets\n", s.Packets)
	for _, p := range s.Protocols {
		fmt.Fprintf(w, "  %s: %d datagrams, %d flows\n", p.Name, p.Datagrams, p.Flows)
	}
	for _, c := range s.Counters {
		fmt.Fprintf(w, "  %s: %d rows\n", c.Table, c.Rows)
	}
	fmt.Fprintf(w, "%d templates, %d flows came before theirs\n", s.Templates, s.Late)
	for _, part := range []struct {
		title    string
		refusals []Refusal
	}{{"packets:", s.Ignored}, {"refused:", s.Refused}} {
		if len(part.refusals) != 0 {
			fmt.Fprintln(w, part.title)
		}
		for _, r := range part.refusals {
			fmt.Fprintf(w, "  %d %s: %s\n", r.Count, r.Reason, r.Why)
		}
	}
}
