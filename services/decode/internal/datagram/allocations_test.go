// SPDX-License-Identifier: Apache-2.0

//go:build !race

package datagram

import (
	"testing"

	"github.com/weirflow/weir/flow"
)

// Decoding reuses its memory: the batches grow at first, then nothing is allocated a flow.
func TestDecodeAllocatesNothing(t *testing.T) {
	d := New(testLimits)
	var in flow.Datagrams
	var out flow.Batch
	for range 20 {
		for _, p := range goodDatagrams() {
			in.Append(&flow.Datagram{Exporter: testExporter, ReceivedNs: receivedNs, Payload: p})
		}
	}
	var wire []byte
	run := func() {
		out.Reset()
		d.Decode(&in, &out)
		wire = out.AppendVT(wire[:0])
	}
	run()
	if n := testing.AllocsPerRun(20, run); n > 2 {
		t.Errorf("%v allocations for %d flows", n, out.Rows())
	}
}
