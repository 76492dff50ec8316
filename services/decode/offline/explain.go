// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/explain"
)

// Explanation is a datagram, taken apart.
type Explanation struct {
	Packet   int           `json:"packet,omitempty"` // number in its capture or message, from 1
	Exporter netip.Addr    `json:"exporter,omitzero"`
	Datagram *explain.Part `json:"datagram"`
}

// Explainer explains datagrams; templates in one hold for those that follow.
type Explainer struct {
	captures captures
	parts    explain.Explainer
}

// NewExplainer returns an explainer of the datagrams to some UDP ports, or to any where there are none.
func NewExplainer(ports ...uint16) *Explainer { return &Explainer{captures: captures{ports: ports}} }

// Read explains the datagrams of a capture, until put fails.
func (x *Explainer) Read(r io.Reader, put func(Explanation) error) error {
	return x.captures.read(r, func(packet int, g *flow.Datagram) error {
		return put(Explanation{packet, g.Exporter, x.parts.Datagram(g.Exporter, g.Payload)})
	})
}

// Datagram explains a datagram of an unknown exporter.
func (x *Explainer) Datagram(payload []byte) Explanation {
	return Explanation{Datagram: x.parts.Datagram(netip.Addr{}, payload)}
}

// Restore learns the templates of an exporter from a value of the bucket TEMPLATES.
func (x *Explainer) Restore(key string, state []byte) error {
	exporter, err := ExporterOf(key)
	if err != nil {
		return err
	}
	return x.parts.Restore(exporter, state)
}

// Batch explains the datagrams of a message of the stream DATAGRAMS, until put fails.
func (x *Explainer) Batch(message []byte, put func(Explanation) error) error {
	var in flow.Datagrams
	if err := in.UnmarshalVTUnsafe(message); err != nil {
		return err
	}
	n := 0
	for g := range in.All() {
		n++
		if err := put(Explanation{n, g.Exporter, x.parts.Datagram(g.Exporter, g.Payload)}); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the explanation as a JSON object in a line.
func (e *Explanation) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(e) }

// Write writes the explanation for people: a line for each part.
func (e *Explanation) Write(w io.Writer) {
	if e.Packet != 0 {
		fmt.Fprintf(w, "packet %d from %s\n", e.Packet, e.Exporter)
	}
	writePart(w, e.Datagram, 0)
}

func writePart(w io.Writer, p *explain.Part, depth int) {
	indent := strings.Repeat("  ", depth)
	fmt.Fprintf(w, "%5d %5d  %s%s", p.Offset, p.Octets, indent, p.Name)
	if p.Value != "" {
		fmt.Fprintf(w, ": %s", p.Value)
	}
	if len(p.Columns) != 0 {
		fmt.Fprintf(w, "  -> %s", strings.Join(p.Columns, ", "))
	}
	fmt.Fprintln(w)
	if p.Problem != "" {
		fmt.Fprintf(w, "%13s%s! %s: %s\n", "", indent, p.Problem, p.Rule)
	}
	for _, part := range p.Parts {
		writePart(w, part, depth+1)
	}
}
