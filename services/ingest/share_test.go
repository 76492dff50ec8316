// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
)

func TestLoudExporterDoesNotTakeTheRoomOfTheQuietOnes(t *testing.T) {
	t.Parallel()
	const quiet, each = 10, 8
	server := bustest.New(t)
	cfg := testConfig("127.0.0.1:0")
	cfg.MaxPendingBytes = 1 << 20
	s := start(t, cfg, server.Connect(bus.Ingest, server.Config(testPartitions)))
	server.Stop()
	sent := s.push(disconnected) // the loud one fills what it gets
	for i := range quiet {
		conn := exporterAt(t, fmt.Sprintf("127.0.1.%d", i+1), s.addresses[0])
		for n := range each {
			write(t, conn, append(v9(uint32(sent+i*each+n)), make([]byte, 1400)...))
		}
		write(t, exporterAt(t, "127.0.0.2", s.addresses[0]), append(v9(0), make([]byte, 1400)...)) // still loud
	}
	eventually(t, "all have come", func() bool {
		return testutil.ToFloat64(s.m.received.WithLabelValues(fmt.Sprintf("127.0.1.%d", quiet))) == each
	})
	for i := range quiet {
		address := fmt.Sprintf("127.0.1.%d", i+1)
		for _, reason := range []string{disconnected, streamFull, backlog} {
			if n := testutil.ToFloat64(s.m.refused.WithLabelValues(address, reason)); n > 0 {
				t.Errorf("%v datagrams of %s were refused: %s", n, address, reason)
			}
		}
	}
	server.Start()
	eventually(t, "nothing is pending", func() bool {
		return s.memory.used.Load() == 0 && s.memory.holders.Load() == 0 && s.publisher.PendingBytes() == 0
	})
}
