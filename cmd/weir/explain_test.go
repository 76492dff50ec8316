// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
)

// aRecord is a NetFlow v1 datagram whose count promises two records, of which there is one.
const aRecord = "00010002" + "000003e8" + "5f5e1000" + "00000000" +
	"c0000201" + "c6336401" + "00000000" + "00010002" + "00000007" + "00000280" + "00000064" + "000000c8" +
	"9c400050" + "00000600" + "1b000000" + "00000000"

func TestExplainShowsFieldsColumnsAndProblems(t *testing.T) {
	t.Parallel()
	out, err := weir(t, "explain", aRecord).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"sourceIPv4Address (8): 192.0.2.1  -> src_addr", "destinationTransportPort (11): 80  -> dst_port",
		"! length_mismatch: length or count in the header differs",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
}

func TestExplainIsForMachinesToo(t *testing.T) {
	t.Parallel()
	out, err := weir(t, "explain", "--json", aRecord).Output()
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Datagram struct {
			Name, Problem string
			Parts         []struct{ Name string }
		}
	}
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d := e.Datagram
	if d.Name != "NetFlow v1" || d.Problem != "length_mismatch" || len(d.Parts) != 2 || d.Parts[1].Name != "record 0" {
		t.Errorf("explain --json: %+v", e)
	}
}

// refuser is a stage that can do nothing with its input.
type refuser struct{}

func (refuser) Handle(context.Context, *flow.Datagrams, *flow.Batch) error {
	return bus.Permanent(errors.New("made up"))
}

func TestExplainShowsADeadLetter(t *testing.T) {
	t.Parallel()
	server := bustest.New(t)
	cfg := server.Config(1)
	ctx, cancel := context.WithCancel(t.Context())
	decode := server.Connect(bus.Decode, cfg)
	in := decode.NewPublisher(bus.Datagrams, 1<<20)
	var running sync.WaitGroup
	running.Go(func() { _ = in.Run(ctx) })
	running.Go(func() {
		_ = bus.Process(ctx, decode, bus.Datagrams, bus.Flows, func(context.Context, int) (bus.Handler[flow.Datagrams, flow.Batch], error) {
			return refuser{}, nil
		})
	})
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	payload, err := hex.DecodeString(aRecord)
	if err != nil {
		t.Fatal(err)
	}
	var g flow.Datagrams
	g.Append(&flow.Datagram{Exporter: netip.MustParseAddr("192.0.2.1"), Payload: payload})
	if err := in.Publish(0, &g, func() {}); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for deadline := time.Now().Add(30 * time.Second); ; {
		if out, err = weir(t, "explain", "--dead", "1", "--nats.url", server.URL()).CombinedOutput(); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, want := range []string{
		"message 1 of DATAGRAMS, partition 0", "decode refused it: made up", "packet 1 from 192.0.2.1\n", "sourceIPv4Address (8): 192.0.2.1  -> src_addr",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
}
