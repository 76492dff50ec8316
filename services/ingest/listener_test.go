// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
)

func TestPortThatIsTakenIsNamedWithItsSetting(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	b := server.Connect(bus.Ingest, server.Config(testPartitions))
	first := start(t, testConfig("127.0.0.1:0"), b)
	second, err := New(testConfig(first.addresses[0]), b, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	err = second.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), first.addresses[0]) || !strings.Contains(err.Error(), "ingest.listen") {
		t.Errorf("error is %v, want one with the address and ingest.listen", err)
	}
}

func TestExportersAreSpreadOverTheSockets(t *testing.T) {
	t.Parallel()
	const sockets = 4
	l, err := listen(t.Context(), "127.0.0.1:0", sockets, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	const senders = 200
	for range senders {
		write(t, exporterAt(t, "127.0.0.2", l.address), v9(1))
	}
	sum := 0
	for i, s := range l.sockets {
		n, err := s.poll()
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			t.Errorf("socket %d got nothing", i)
		}
		sum += n
	}
	if sum < sockets*readBatch/2 {
		t.Errorf("the sockets got %d datagrams of %d", sum, senders)
	}
}

func TestKernelDropsAreCounted(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0", 1, 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	conn, sock := exporterAt(t, "127.0.0.2", l.address), l.sockets[0]
	const sent = 1000
	for n := range uint32(sent) {
		write(t, conn, append(v9(n), make([]byte, 1400)...))
	}
	var d flow.Datagram
	got := 0
	for n := -1; n != 0; got += n {
		if n, err = sock.poll(); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			sock.datagram(i, &d)
		}
	}
	// The counter comes with the next datagram.
	write(t, conn, v9(sent))
	if _, err := sock.poll(); err != nil {
		t.Fatal(err)
	}
	sock.datagram(0, &d)
	if got == sent || got+int(sock.drops) != sent {
		t.Errorf("%d came and %d were dropped, want %d together and some dropped", got, sock.drops, sent)
	}
}
