// SPDX-License-Identifier: Apache-2.0

package row

import (
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/health"
	"github.com/weirflow/weir/services/decode/internal/refusal"
)

// Type is a kind of datagram.
type Type uint8

// Types.
const (
	Unknown Type = iota
	SFlow5
	NetFlow5
	NetFlow9
	IPFIX
	NetFlow1
	NetFlow7
	NetFlow8
	NumTypes = iota
)

// Number returns the value of flow.Type. GoFlow2 has none for the old versions of NetFlow.
func (t Type) Number() uint64 { return numbers[t] }

var numbers = [NumTypes]uint64{0, 1, 2, 3, 4, 101, 107, 108}

// String returns the type as it stands in metrics.
func (t Type) String() string {
	return [NumTypes]string{"unknown", "sflow_v5", "netflow_v5", "netflow_v9", "ipfix", "netflow_v1", "netflow_v7", "netflow_v8"}[t]
}

// Limits bound what a datagram may turn into.
type Limits struct {
	Records int    // rows of a datagram
	AheadNs uint64 // how far a flow's time may be ahead of its receipt; 0 is any
	PastNs  uint64 // and how far before it; 0 is any
}

// Sampling is what the configuration says of an exporter's sampling interval, 1 in N; 0 is nothing.
type Sampling struct {
	Default  uint64 // where the exporter tells none
	Override uint64 // whatever the exporter tells
}

// Writer puts rows into a batch. It is not safe for concurrent use.
type Writer struct {
	Limits  Limits
	Refused refusal.Counts
	Flows   [NumTypes]uint64
	// Book is told the health of exporters.
	Book health.Book

	batch  *flow.Batch
	record flow.Record
	kind   Type
	left   int    // rows that the datagram may still have
	late   uint64 // quality of each row: DecodedLate or nothing

	sampling Sampling

	// What the rows from first on have in common.
	first      int
	exporter   [16]byte
	receivedNs uint64
	exportNs   uint64
	number     uint64
	domain     uint64
	// timeless says that the protocol has no times: its rows have that of their receipt.
	timeless bool

	unsampled, skewed uint64 // rows
	told              seen
	untold            bool // no message of the datagram was told of
	refused           bool // something since the last message
}

// Of a datagram's octets at least so many make a row, but for the first few rows: what is
// smaller is no flow, and would make the output many times as large as the input.
const (
	leastOctets = 8
	fewRows     = 16
)

// Begin starts the rows of a datagram; End ends them.
func (w *Writer) Begin(b *flow.Batch, kind Type, g *flow.Datagram, s Sampling) {
	w.batch, w.kind, w.first, w.sampling = b, kind, b.Rows(), s
	w.left = min(w.Limits.Records, fewRows+len(g.Payload)/leastOctets)
	w.exporter, w.receivedNs = g.Exporter.As16(), g.ReceivedNs
	w.exportNs, w.number, w.domain = 0, 0, 0
	w.timeless = kind == SFlow5
	w.late, w.untold, w.refused, w.told.rows = 0, true, false, b.Rows()
}

// Late says that the rows of the datagram waited for their template.
func (w *Writer) Late() { w.late = flow.DecodedLate }

// Header sets what the header of a message says of the rows that follow. exportNs is 0 where
// the protocol has no export time.
func (w *Writer) Header(number, domain uint32, exportNs uint64) {
	w.End()
	w.number, w.domain, w.exportNs = uint64(number), uint64(domain), exportNs
}

// End writes what the rows since the last header have in common.
func (w *Writer) End() {
	n := w.batch.Rows() - w.first
	w.batch.PutRepeated(flow.Type, w.first, n, w.kind.Number())
	w.batch.PutRepeated(flow.TimeReceivedNs, w.first, n, w.receivedNs)
	w.batch.PutRepeatedAddress(flow.SamplerAddress, w.first, n, w.exporter)
	w.batch.PutRepeated(flow.SequenceNum, w.first, n, w.number)
	if w.timeless {
		w.batch.PutRepeated(flow.TimeFlowStartNs, w.first, n, w.receivedNs)
		w.batch.PutRepeated(flow.TimeFlowEndNs, w.first, n, w.receivedNs)
	}
	if w.domain != 0 {
		w.batch.PutRepeated(flow.ObservationDomainID, w.first, n, w.domain)
	}
	w.first += n
}

// Origin returns the exporter of the datagram, and when it was received.
func (w *Writer) Origin() (exporter [16]byte, receivedNs uint64) { return w.exporter, w.receivedNs }

// Refuse counts what is left out.
func (w *Writer) Refuse(r refusal.Reason) {
	w.Refused.Add(r)
	w.refused = true
}

// Forget sets the counts to zero.
func (w *Writer) Forget() {
	w.Flows, w.Refused, w.unsampled, w.skewed = [NumTypes]uint64{}, refusal.Counts{}, 0, 0
	w.told = seen{}
}

// Next returns an empty record for the next row; nil when the datagram has had as many rows
// as it may. Without Commit the row is forgotten.
func (w *Writer) Next() *flow.Record {
	if w.left == 0 {
		return nil
	}
	w.record.Reset()
	return &w.record
}

// Room returns how many of n rows the datagram may still have.
func (w *Writer) Room(n int) int { return min(n, w.left) }

// Batch returns the batch that the rows go to, for fields that are written by column.
func (w *Writer) Batch() *flow.Batch { return w.batch }

// Commit makes the record a row.
func (w *Writer) Commit() {
	w.left--
	w.Flows[w.kind]++
	w.times()
	w.interval()
	if w.late != 0 {
		w.record.Flag(w.late)
	}
	w.batch.Append(&w.record)
}

// interval sees to the sampling interval.
func (w *Writer) interval() {
	r := &w.record
	switch {
	case w.sampling.Override != 0:
		r.SetNumber(flow.SamplingRate, w.sampling.Override)
	case r.Number(flow.SamplingRate) != 0:
	case w.sampling.Default != 0:
		r.SetNumber(flow.SamplingRate, w.sampling.Default)
		r.Flag(flow.SamplingAssumed)
	default:
		r.Flag(flow.SamplingUnknown)
		w.unsampled++
	}
}

// times sees to it that every row has a plausible start and end.
func (w *Writer) times() {
	r := &w.record
	if w.timeless { // End writes them
		r.Flag(flow.TimeFromReceipt)
		return
	}
	start, end := r.Number(flow.TimeFlowStartNs), r.Number(flow.TimeFlowEndNs)
	switch {
	case start|end == 0:
		r.Flag(flow.TimeFromReceipt)
		if start = w.exportNs; start == 0 {
			start = w.receivedNs
		}
		end = start
	case start == 0:
		start = end
	case end == 0:
		end = start
	}
	if !w.plausible(start) || !w.plausible(end) {
		r.Flag(flow.TimeSkewed)
		w.skewed++
		start, end = w.receivedNs, w.receivedNs
	}
	r.SetNumber(flow.TimeFlowStartNs, start)
	r.SetNumber(flow.TimeFlowEndNs, end)
}

func (w *Writer) plausible(t uint64) bool {
	if t > w.receivedNs {
		return w.Limits.AheadNs == 0 || t-w.receivedNs <= w.Limits.AheadNs
	}
	return w.Limits.PastNs == 0 || w.receivedNs-t <= w.Limits.PastNs
}
