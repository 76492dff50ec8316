// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/ie"
	"github.com/weirflow/weir/services/decode/internal/packet"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// scopes are the scope fields of NetFlow v9 (RFC 3954 §6.1).
var scopes = map[uint16]string{1: "System", 2: "Interface", 3: "Line Card", 4: "Cache", 5: "Template"}

func nameOf(f template.Field) string {
	if f.PEN == template.ScopePEN {
		if name, ok := scopes[f.ID]; ok {
			return "scope " + name
		}
		return fmt.Sprintf("scope %d", f.ID)
	}
	name := ie.Name(f.Element)
	if strings.HasSuffix(name, "element "+strconv.Itoa(int(f.ID))) {
		return name
	}
	return fmt.Sprintf("%s (%d)", name, f.ID)
}

// columnsOf returns the columns of a flow that a field fills.
func columnsOf(t *template.Template, f template.Field) []string {
	if t != nil && t.Options || f.PEN == template.ScopePEN {
		return nil
	}
	var columns []string
	for _, u := range ie.Uses(f.Element) {
		switch u.How {
		case ie.Frame:
			columns = slices.Concat(columns, frameColumns, packetColumns)
		case ie.IPPacket:
			columns = append(columns, packetColumns...)
		default:
			if u.Field != flow.LayerStack { // lists of anything: what is in them fills columns
				columns = append(columns, u.Field.String())
			}
		}
	}
	return columns
}

// fields explains the fields of a record and returns the place behind them, less than 0 where the
// record is cut.
func (b *builder) fields(record *Part, fields []template.Field, at, end int) int {
	for _, f := range fields {
		size := int(f.Length)
		if f.Length == template.Variable { // RFC 7011 §7
			if end-at < 1 {
				return -1
			}
			if size, at = int(b.p[at]), at+1; size == 255 {
				if end-at < 2 {
					return -1
				}
				size, at = int(binary.BigEndian.Uint16(b.p[at:])), at+2
			}
		}
		if size > end-at {
			return -1
		}
		part := b.add(record, nameOf(f), at, size)
		part.Value, part.Columns = valueText(f, b.p[at:at+size]), columnsOf(nil, f)
		if size > 0 {
			b.within(part, f, at, at+size)
		}
		at += size
	}
	return at
}

// within explains what a value is made of, if it is a section of a packet or a list.
func (b *builder) within(part *Part, f template.Field, at, end int) {
	for _, u := range ie.Uses(f.Element) {
		switch u.How {
		case ie.Frame:
			b.packet(part, at, end, packet.Ethernet)
		case ie.IPPacket:
			b.packet(part, at, end, packet.IP)
		case ie.BasicList, ie.SubTemplateList, ie.SubTemplateMultiList:
			b.list(part, u.How, at, end)
		}
	}
}

// valueText writes a value as its element means it.
func valueText(f template.Field, p []byte) string {
	for _, u := range ie.Uses(f.Element) {
		switch {
		case (u.How == ie.AddressV4 || u.How == ie.ListV4) && len(p) == 4,
			(u.How == ie.AddressV6 || u.How == ie.ListV6) && len(p) == 16:
			return addressText(p)
		case u.How == ie.Frame || u.How == ie.IPPacket:
			return hexText(p)
		}
	}
	if s, ok := printable(p); ok {
		return strconv.Quote(s)
	}
	if len(p) >= 1 && len(p) <= 8 && len(p) != 6 { // 6 octets are a MAC address most of the time
		return strconv.FormatUint(unsigned(p), 10)
	}
	return hexText(p)
}

// printable returns a text of more octets than a number has, without the zeros that pad it.
func printable(p []byte) (string, bool) {
	s := strings.TrimRight(string(p), "\x00")
	if len(p) <= 8 || s == "" || !utf8.ValidString(s) || len(p) > 1024 {
		return "", false
	}
	return s, strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
