// SPDX-License-Identifier: Apache-2.0

package row

import (
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/health"
	"github.com/weirflow/weir/services/decode/internal/refusal"
	"github.com/weirflow/weir/services/decode/internal/sequence"
)

// seen is what a writer has counted: the health of an exporter is told by the difference.
type seen struct {
	rows              int
	refused           refusal.Counts
	unsampled, skewed uint64
}

// Tell adds a message of some octets and records to the account of its domain, with what came
// of it and what its sequence number told.
func (w *Writer) Tell(a *health.Account, domain uint32, octets, records int, v sequence.Verdict) *flow.Health {
	s := w.TellRest(a, domain)
	s.Datagrams++
	s.Bytes += uint64(octets)    //nolint:gosec // not negative
	s.Records += uint64(records) //nolint:gosec // not negative
	health.Sequence(s, v)
	health.Clock(s, w.receivedNs, w.exportNs)
	s.LastSeenNs = max(s.LastSeenNs, w.receivedNs)
	w.untold = false
	return s
}

// TellRest adds what came since the last message was told to an account.
func (w *Writer) TellRest(a *health.Account, domain uint32) *flow.Health {
	s := w.Book.Open(a, health.Key{Exporter: w.exporter, Protocol: uint8(w.kind.Number()), Domain: domain}, w.receivedNs) //nolint:gosec // small
	t, rows := &w.told, w.batch.Rows()
	s.Flows += uint64(rows - t.rows) //nolint:gosec // rows are only added
	s.SamplingUnknown += w.unsampled - t.unsampled
	s.TimeSkewed += w.skewed - t.skewed
	t.rows, t.unsampled, t.skewed = rows, w.unsampled, w.skewed
	if w.Refused != t.refused {
		s.Refused += w.Refused.Total() - t.refused.Total()
		s.TemplateUnknown += w.Refused[refusal.TemplateUnknown] - t.refused[refusal.TemplateUnknown]
		t.refused = w.Refused
	}
	w.refused = false
	return s
}

// Finish ends a datagram: what no message told of goes to an account. A stranger is an exporter that has
// none of its own; they share one, of the address ::.
func (w *Writer) Finish(a *health.Account, octets int, stranger bool) {
	if stranger {
		w.exporter = [16]byte{}
	}
	if w.untold {
		w.Tell(a, 0, octets, 0, sequence.Verdict{})
	} else if w.refused {
		w.TellRest(a, 0)
	}
}
