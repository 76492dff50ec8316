// SPDX-License-Identifier: Apache-2.0

package ipfix

import (
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// maxStatistics bounds the rows of statistics of a message: exporters have a few processes.
const maxStatistics = 64

// statistic is an element of options data about the exporter's processes: what it is in
// flow.ExporterStatistics.
type statistic struct {
	column int
	counts bool // otherwise it says what is counted, or how
}

// statistics are by element number (RFC 7011 §4, RFC 5476 §6.5.3).
var statistics = map[uint16]statistic{
	36:  about("flow_active_timeout"),
	37:  about("flow_idle_timeout"),
	40:  counts("exported_octets"),
	41:  counts("exported_messages"),
	42:  counts("exported_flow_records"),
	48:  about("selector_id"),
	141: about("line_card_id"),
	143: about("metering_process_id"),
	144: about("exporting_process_id"),
	145: about("template_id"),
	163: counts("observed_flows"),
	164: counts("ignored_packets"),
	165: counts("ignored_octets"),
	166: counts("not_sent_flows"),
	167: counts("not_sent_packets"),
	168: counts("not_sent_octets"),
	302: about("selector_id"),
	318: counts("packets_observed"),
	319: counts("packets_selected"),
}

func about(column string) statistic { return statistic{flow.ExporterStatistics.Column(column), false} }

func counts(column string) statistic { return statistic{flow.ExporterStatistics.Column(column), true} }

// Statistics makes rows of what exporters count.
type Statistics struct {
	// Counters is where the rows go; nil leaves them out.
	Counters *flow.Counters

	row  flow.CounterRow
	rows int // of this message
}

// begin starts a message.
func (s *Statistics) begin() { s.rows = 0 }

// count makes a row of a record of options data that has a counter.
func (s *Statistics) count(w *row.Writer, t *template.Template, record []byte) {
	if s.Counters == nil {
		return
	}
	found := false
	s.row.Reset()
	t.Walk(record, func(_ int, f template.Field, octets []byte) {
		known, ok := statistics[f.ID]
		if !ok || f.PEN != 0 || len(octets) == 0 || len(octets) > flow.ExporterStatistics.Columns()[known.column].Width {
			return
		}
		var v uint64
		for _, octet := range octets {
			v = v<<8 | uint64(octet)
		}
		s.row.SetNumber(known.column, v)
		found = found || known.counts
	})
	if !found {
		return
	}
	if s.rows++; s.rows > maxStatistics {
		w.Refuse(refusal.RecordLimit)
		return
	}
	exporter, receivedNs := w.Origin()
	protocol, domain := w.Domain()
	// The first columns of the table, in their order.
	s.row.SetNumber(0, receivedNs)
	s.row.SetAddress(1, exporter)
	s.row.SetNumber(2, protocol)
	s.row.SetNumber(3, domain)
	s.Counters.Append(flow.ExporterStatistics, &s.row)
}
