// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"bytes"
	"encoding/json"
	"iter"
	"net"
	"net/netip"
	"strconv"
)

// Form is a way to write flows as JSON. Both have GoFlow2's names and order of fields, then those
// that GoFlow2 does not have, where they are not 0. Labels of networks are objects.
type Form uint8

// Forms.
const (
	// GoFlow2 is what GoFlow2 prints: all fields of FlowMessage, with names for protocols and
	// EtherTypes, and prefixes for the lengths of networks. Behind them is GoFlow2+'s `context`, with
	// the names of the networks of both ends, where one has a name.
	GoFlow2 Form = iota + 1
	// Neutral leaves out what is 0, and has numbers for all that is one: only addresses, MAC
	// addresses, the type and the layers of a packet are text.
	Neutral
)

// messageOrder are the fields of GoFlow2's FlowMessage in the order of its JSON.
var messageOrder = []Field{
	Type, TimeReceivedNs, SequenceNum, SamplingRate, SamplerAddress, TimeFlowStartNs, TimeFlowEndNs, Bytes, Packets, SrcAddr,
	DstAddr, EType, Proto, SrcPort, DstPort, InIf, OutIf, SrcMAC, DstMAC, SrcVLAN, DstVLAN, VLANID, IPTOS, ForwardingStatus,
	IPTTL, IPFlags, TCPFlags, ICMPType, ICMPCode, IPv6FlowLabel, FragmentID, FragmentOffset, SrcAS, DstAS, NextHop, NextHopAS,
	SrcNet, DstNet, BGPNextHop, BGPCommunities, ASPath, MPLSTTL, MPLSLabel, MPLSIP, ObservationDomainID, ObservationPointID,
	LayerStack, LayerSize, IPv6RoutingHeaderAddresses, IPv6RoutingHeaderSegLeft,
}

// ownFields are the fields that GoFlow2 does not have, in the order of their numbers.
var ownFields = func() (own []Field) {
	isMessage := map[Field]bool{}
	for _, f := range messageOrder {
		isMessage[f] = true
	}
	for f := range Field(numFields) {
		if fields[f].Name != "" && !isMessage[f] {
			own = append(own, f)
		}
	}
	return own
}()

// JSON yields each row as a JSON object in a line of its own. The bytes are valid until the next
// row.
func (b *Batch) JSON(form Form) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		w := jsonWriter{b: b, form: form}
		for row := range b.rows {
			w.row = row
			w.object()
			if !yield(w.out) {
				return
			}
		}
	}
}

// jsonWriter writes the rows of a batch in order.
type jsonWriter struct {
	b    *Batch
	form Form
	row  int
	at   [numLists]int // where the row's values of a list begin
	out  []byte
}

func (w *jsonWriter) object() {
	w.out = append(w.out[:0], '{')
	for _, f := range messageOrder {
		w.field(f, w.form == GoFlow2)
	}
	if w.form == GoFlow2 {
		w.context()
	}
	for _, f := range ownFields {
		w.field(f, false)
	}
	w.out = append(w.out, '}', '\n')
}

// field writes a field. always says that it is written when it is 0, too.
func (w *jsonWriter) field(f Field, always bool) {
	if !always && w.b.cols[f].used == 0 {
		return
	}
	switch fields[f].Kind {
	case Number:
		if v := w.b.Number(f, w.row); v != 0 || always {
			w.key(f)
			w.number(f, v)
		}
	case Text:
		if s := w.b.Text(f, w.row); s != "" || always {
			w.key(f)
			if f == SrcNetContext || f == DstNetContext {
				w.labels(s)
			} else {
				w.text(s)
			}
		}
	case Address:
		if a := w.b.Address(f, w.row); always || !a.Unmap().IsUnspecified() {
			w.key(f)
			w.address(a)
		}
	default:
		w.list(f, always)
	}
}

func (w *jsonWriter) key(f Field) { w.name(fields[f].Name) }

// name begins a value of an object.
func (w *jsonWriter) name(name string) {
	if w.out[len(w.out)-1] != '{' {
		w.out = append(w.out, ',')
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

// number writes a number, or the name that it stands for in this form.
func (w *jsonWriter) number(f Field, v uint64) {
	switch {
	case f == Type:
		w.text(nameOr(typeNames, v))
	case f == LayerStack:
		w.text(nameOr(layerNames, v))
	case f == SrcMAC || f == DstMAC:
		mac := net.HardwareAddr{byte(v >> 40), byte(v >> 32), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
		w.text(mac.String())
	case w.form == GoFlow2 && f == Proto:
		w.text(protocolName(v))
	case w.form == GoFlow2 && f == EType:
		w.text(etherTypeNames[v])
	case w.form == GoFlow2 && f == SrcNet:
		w.prefix(SrcAddr, v)
	case w.form == GoFlow2 && f == DstNet:
		w.prefix(DstAddr, v)
	default:
		w.out = strconv.AppendUint(w.out, v, 10)
	}
}

// prefix writes the network that an address is in. GoFlow2 says "invalid Prefix" where there is none.
func (w *jsonWriter) prefix(f Field, bits uint64) {
	var p netip.Prefix
	if a := w.b.Address(f, w.row); !a.IsUnspecified() {
		p, _ = a.Unmap().Prefix(int(bits)) //nolint:gosec // of 8 bits
	}
	w.text(p.String())
}

// address writes an address; one that was not set is an empty text.
func (w *jsonWriter) address(a netip.Addr) {
	w.out = append(w.out, '"')
	if !a.IsUnspecified() { // IPv4's 0.0.0.0 is mapped
		w.out = a.Unmap().AppendTo(w.out)
	}
	w.out = append(w.out, '"')
}

func (w *jsonWriter) list(f Field, always bool) {
	n, from := int(w.b.cols[f].at(w.row)), w.at[f-firstList] //nolint:gosec // values in memory
	w.at[f-firstList] += n
	if n == 0 && !always {
		return
	}
	w.key(f)
	w.out = append(w.out, '[')
	values := &w.b.lists[f-firstList]
	for i := from; i < from+n; i++ {
		if i > from {
			w.out = append(w.out, ',')
		}
		if fields[f].Kind == Numbers {
			w.number(f, values.at(i))
		} else {
			w.address(netip.AddrFrom16([16]byte(values.buf[16*i:])))
		}
	}
	w.out = append(w.out, ']')
}

// context writes the networks of both ends as GoFlow2+ does.
func (w *jsonWriter) context() {
	src, dst := w.b.Text(SrcNetName, w.row), w.b.Text(DstNetName, w.row)
	if src == "" && dst == "" {
		return
	}
	w.name("context")
	w.out = append(w.out, '{')
	if src != "" {
		w.name("source_group")
		w.text(src)
	}
	if dst != "" {
		w.name("destination_group")
		w.text(dst)
	}
	w.out = append(w.out, '}')
}

// labels writes a text that is a JSON object as that object, and another as a text.
func (w *jsonWriter) labels(s string) {
	to, from := bytes.NewBuffer(w.out), []byte(s)
	if from[0] != '{' || json.Compact(to, from) != nil { // without line breaks
		w.text(s)
		return
	}
	w.out = to.Bytes()
}

func (w *jsonWriter) text(s string) {
	quoted, _ := json.Marshal(s) // no text fails
	w.out = append(w.out, quoted...)
}
