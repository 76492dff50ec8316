// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/flow"
)

// receiver is a socket with what follows it up to JetStream, which takes everything.
type receiver struct {
	*Service
	sock *socket
	conn *net.UDPConn
	d    flow.Datagram
}

func newReceiver(tb testing.TB) *receiver {
	tb.Helper()
	l, err := listen(tb.Context(), "127.0.0.1:0", 1, 4<<20)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.close)
	conn, err := net.DialUDP("udp", nil, l.sockets[0].conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	m := newMetrics(prometheus.NewRegistry())
	s := &Service{m: m, exporters: newExporters(m, 1, 10), memory: &memory{limit: 1 << 40}, log: slog.New(slog.DiscardHandler)}
	s.batches = []*batch{{publish: func(*flow.Datagrams) error { return nil }}}
	return &receiver{Service: s, sock: l.sockets[0], conn: conn}
}

func (r *receiver) send(tb testing.TB, payload []byte) {
	tb.Helper()
	for range readBatch {
		if _, err := r.conn.Write(payload); err != nil {
			tb.Fatal(err)
		}
	}
}

func (r *receiver) take(tb testing.TB) {
	tb.Helper()
	n, err := r.sock.read()
	if err != nil || n != readBatch {
		tb.Fatalf("%d datagrams came: %v", n, err)
	}
	for i := range n {
		r.Service.take(&r.d, r.sock.datagram(i, &r.d))
	}
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	r := newReceiver(t)
	payload := append(v9(1), make([]byte, 1396)...)
	allocs := testing.AllocsPerRun(100, func() {
		r.send(t, payload)
		r.take(t)
	})
	if allocs > 0 {
		t.Errorf("%v allocations for %d datagrams, want 0", allocs, readBatch)
	}
}

// BenchmarkReceive measures a datagram of 1400 octets from the socket into its batch; the
// sender's time is left out.
func BenchmarkReceive(b *testing.B) {
	r := newReceiver(b)
	payload := append(v9(1), make([]byte, 1396)...)
	var spent time.Duration
	for b.Loop() {
		r.send(b, payload)
		start := time.Now()
		r.take(b)
		spent += time.Since(start)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*readBatch), "ns/datagram")
}
