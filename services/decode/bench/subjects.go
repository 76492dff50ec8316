// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"github.com/netsampler/goflow2/v2/format"
	_ "github.com/netsampler/goflow2/v2/format/binary" // registers the format bin
	protoproducer "github.com/netsampler/goflow2/v2/producer/proto"
	"github.com/netsampler/goflow2/v2/utils"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/row"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// newWeir decodes a DatagramBatch into a FlowBatch and marshals it, as the service does.
func newWeir(told [][]byte, datagrams [][]byte) (subject, error) {
	d := datagram.New(limits())
	var in flow.Datagrams
	var out flow.Batch
	add := func(p []byte) {
		in.Append(&flow.Datagram{
			Exporter: flow.ExporterOf(exporter.Addr(), p), Source: exporter,
			ReceivedNs: uint64(time.Now().UnixNano()), Payload: p, //nolint:gosec // after 1970
		})
	}
	for _, p := range told {
		add(p)
	}
	d.Decode(&in, &out)
	in.Reset()
	for _, p := range datagrams {
		add(p)
	}
	message := in.AppendVT(nil)
	var wire []byte
	s := subject{run: func() {
		out.Reset()
		_ = in.UnmarshalVTUnsafe(message) // checked below
		d.Decode(&in, &out)
		d.Take()
		wire = out.AppendVT(wire[:0])
	}}
	s.run()
	s.flows = out.Rows()
	if refused := d.Take().Refused; refused.Total() != 0 {
		return s, fmt.Errorf("refused: %v", refused)
	}
	return s, in.UnmarshalVTUnsafe(message)
}

func limits() datagram.Limits {
	return datagram.Limits{
		Exporters: 4096, Layers: 16, State: 64 << 20,
		Rows:      row.Limits{Records: 4096, AheadNs: uint64(24 * time.Hour), PastNs: uint64(30 * 24 * time.Hour)},
		Templates: template.Limits{Domains: 256, Templates: 512, Fields: 256, Samplers: 1024, Names: 4096},
	}
}

// newGoFlow2 runs GoFlow2's pipe: decoder, protobuf producer with its default mapping, and the
// format bin (a length-prefixed FlowMessage per flow). The transport only counts.
func newGoFlow2(told [][]byte, datagrams [][]byte) (subject, error) {
	cfg, err := (&protoproducer.ProducerConfig{}).Compile()
	if err != nil {
		return subject{}, err
	}
	producer, err := protoproducer.CreateProtoProducer(cfg, protoproducer.CreateSamplingSystem)
	if err != nil {
		return subject{}, err
	}
	bin, err := format.FindFormat("bin")
	if err != nil {
		return subject{}, err
	}
	var sent counter
	pipe := utils.NewFlowPipe(&utils.PipeConfig{Format: bin, Producer: producer, Transport: &sent})
	decode := func(p []byte) {
		if e := pipe.DecodeFlow(&utils.Message{Src: exporter, Dst: exporter, Payload: p, Received: time.Now()}); e != nil {
			err = e
		}
	}
	for _, p := range told {
		decode(p)
	}
	s := subject{run: func() {
		for _, p := range datagrams {
			decode(p)
		}
	}}
	s.run()
	s.flows = int(sent)
	return s, err
}

// counter is a transport that counts.
type counter int

func (c *counter) Send(_, _ []byte) error {
	*c++
	return nil
}
