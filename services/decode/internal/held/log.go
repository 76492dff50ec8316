// SPDX-License-Identifier: Apache-2.0

package held

import (
	"encoding/binary"
	"errors"
	"net/netip"

	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// Log is a piece of the log: weir.v1.HeldBatch. Its zero value is empty.
type Log struct {
	m    weirv1.HeldBatch
	size int
}

// entryOctets is more than an entry takes beside its message.
const entryOctets = 128

// Rows returns the number of entries.
func (l *Log) Rows() int { return len(l.m.GetEntries()) }

// Reset forgets the entries.
func (l *Log) Reset() { l.m.Entries, l.size = nil, 0 }

// SizeVT returns the length of the wire form, or a little more.
func (l *Log) SizeVT() int { return l.size }

// AppendVT appends the wire form.
func (l *Log) AppendVT(dst []byte) []byte { return l.m.AppendVT(dst) }

// UnmarshalVTUnsafe replaces the entries by those of the message p, and aliases it.
func (l *Log) UnmarshalVTUnsafe(p []byte) error {
	l.m.Entries, l.size = nil, len(p)
	return l.m.UnmarshalVTUnsafe(p)
}

func (l *Log) add(e *weirv1.HeldEntry) {
	l.m.Entries = append(l.m.Entries, e)
	l.size += entryOctets + len(e.GetMessage())
}

// hold writes that a set is held.
func (l *Log) hold(s *Set) {
	e := entry(s.Input, s.Key)
	source := s.Source.Addr().As16()
	e.Source, e.SourcePort = source[:], uint32(s.Source.Port())
	e.ListenerPort, e.ReceivedNs, e.Message = uint32(s.ListenerPort), s.ReceivedNs, s.Message
	l.add(e)
}

// release writes that the n oldest sets of a template are released.
func (l *Log) release(now Input, k Key, n int) {
	e := entry(now, k)
	e.Released = uint32(n) //nolint:gosec // as many as are held
	l.add(e)
}

func entry(at Input, k Key) *weirv1.HeldEntry {
	exporter := k.Exporter.As16()
	return &weirv1.HeldEntry{
		InputSequence: at.Sequence, InputTimeNs: at.TimeNs,
		Exporter: exporter[:], Version: uint32(k.Version), ObservationDomain: k.Domain, TemplateId: uint32(k.ID),
	}
}

// ErrEntry is returned by Store.Load for an entry that is none.
var ErrEntry = errors.New("malformed entry of held data")

// Load does again what a piece of the log says of the inputs that covered takes. It copies what
// it keeps.
func (s *Store) Load(l *Log, covered func(Input) bool) error {
	for _, e := range l.m.GetEntries() {
		at := Input{e.GetInputSequence(), e.GetInputTimeNs()}
		if !covered(at) {
			continue
		}
		s.Begin(at, func(*Set) {}) // what was too old by then was not there to be released
		exporter, ok := netip.AddrFromSlice(e.GetExporter())
		if !ok {
			return ErrEntry
		}
		k := Key{exporter.Unmap(), uint16(e.GetVersion()), e.GetObservationDomain(), uint16(e.GetTemplateId())} //nolint:gosec // as written
		if n := int(e.GetReleased()); n != 0 {
			s.drop(k, n)
			continue
		}
		source, ok := netip.AddrFromSlice(e.GetSource())
		if !ok || !whole(e.GetMessage()) {
			return ErrEntry
		}
		s.add(&Set{
			Key: k, Input: at, Source: netip.AddrPortFrom(source.Unmap(), uint16(e.GetSourcePort())), //nolint:gosec // as written
			ListenerPort: uint16(e.GetListenerPort()), ReceivedNs: e.GetReceivedNs(), //nolint:gosec // as written
			Message: append([]byte(nil), e.GetMessage()...),
		})
	}
	return nil
}

// whole tells whether a message has the header and the set that Message makes.
func whole(m []byte) bool {
	return len(m) >= 2 && len(m) >= headerOctets(binary.BigEndian.Uint16(m))+setHeader
}
