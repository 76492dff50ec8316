// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Part is a part of a datagram.
type Part struct {
	Name    string   `json:"name"`
	Offset  int      `json:"offset"` // in the datagram
	Octets  int      `json:"octets"`
	Value   string   `json:"value,omitempty"`
	Columns []string `json:"columns,omitempty"` // of a flow, that it fills
	Problem string   `json:"problem,omitempty"` // reasons, as in the metrics
	Rule    string   `json:"rule,omitempty"`    // what the reasons mean, and where it is written
	Parts   []*Part  `json:"parts,omitempty"`
}

// maxParts bounds the tree of a datagram.
const maxParts = 1 << 16

// builder makes the tree of one datagram.
type builder struct {
	p    []byte
	left int
	// lookup returns a template of the message; depth counts the lists around a field.
	lookup func(id uint16) *template.Template
	depth  int
	// scratch is where packets are read to. Nothing of it is kept.
	scratch flow.Record
}

// add appends a part of parent. Beyond the limit it is not kept.
func (b *builder) add(parent *Part, name string, offset, octets int) *Part {
	part := &Part{Name: name, Offset: offset, Octets: octets}
	if b.left > 0 {
		parent.Parts = append(parent.Parts, part)
	}
	if b.left--; b.left == 0 {
		parent.Parts = append(parent.Parts, &Part{Name: fmt.Sprintf("more than %d parts: the rest is left out", maxParts), Offset: offset})
	}
	return part
}

// full tells whether there is no use in going on.
func (b *builder) full() bool { return b.left <= 0 }

// number adds a number of 1 to 8 octets and returns it.
func (b *builder) number(parent *Part, name string, offset, octets int, columns ...string) uint64 {
	v := unsigned(b.p[offset:][:octets])
	part := b.add(parent, name, offset, octets)
	part.Value, part.Columns = strconv.FormatUint(v, 10), columns
	return v
}

// wrong notes what a parser refuses.
func (p *Part) wrong(r refusal.Reason) {
	if p.Problem != "" {
		p.Problem, p.Rule = p.Problem+", ", p.Rule+"; "
	}
	p.Problem, p.Rule = p.Problem+r.String(), p.Rule+r.Why()
}

func unsigned(p []byte) uint64 {
	var b [8]byte
	copy(b[8-len(p):], p)
	return binary.BigEndian.Uint64(b[:])
}

// maxHex bounds the octets that are shown of a value.
const maxHex = 64

func hexText(p []byte) string {
	if len(p) > maxHex {
		return hex.EncodeToString(p[:maxHex]) + "..."
	}
	return hex.EncodeToString(p)
}

func addressText(p []byte) string {
	a, _ := netip.AddrFromSlice(p)
	return a.String()
}
