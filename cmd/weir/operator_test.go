// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/bus/bustest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
)

// office is a NATS server with decode, and a person who looks at them.
type office struct {
	*testing.T
	nats *bustest.Server
	js   jetstream.JetStream
}

func newOffice(t *testing.T) office {
	t.Helper()
	o := office{T: t, nats: bustest.New(t)}
	cfg := o.nats.Config(16)
	service, err := decode.New(decode.DefaultConfig(), o.nats.Connect(bus.Decode, cfg), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = service.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	nc, err := nats.Connect(o.nats.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if o.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	return o
}

// weir runs a command of weir.
func (o office) weir(args ...string) (string, error) {
	o.Helper()
	path, err := program()
	if err != nil {
		o.Fatal(err)
	}
	out, err := exec.CommandContext(o.Context(), path, append(args, "--nats.url", o.nats.URL())...).CombinedOutput()
	return string(out), err
}

// until runs a command until it says what is wanted, and returns all of that.
func (o office) until(want string, args ...string) string {
	o.Helper()
	var got string
	for end := time.Now().Add(patience); !strings.Contains(got, want); {
		if time.Now().After(end) {
			o.Fatalf("weir %s: want %q, got\n%s", strings.Join(args, " "), want, got)
		}
		got, _ = o.weir(args...)
	}
	return got
}

func (o office) publish(partition string, payload []byte) {
	o.Helper()
	if _, err := o.js.Publish(o.Context(), "datagrams."+partition, payload); err != nil {
		o.Fatal(err)
	}
}

func TestDeadLettersCanBeSeenReplayedAndDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.publish("3", []byte("not datagrams"))
	o.publish("4", []byte("nor these"))
	list := o.until("DATAGRAMS.4 2", "dead", "list")
	if !strings.Contains(list, "DATAGRAMS.3 1") || !strings.Contains(list, "decode") {
		t.Errorf("weir dead list:\n%s", list)
	}
	if out, err := o.weir("dead", "show", "1"); err != nil || !strings.Contains(out, "reason: ") {
		t.Errorf("weir dead show: %v\n%s", err, out)
	}
	// What can't be read becomes a letter again.
	if out, err := o.weir("dead", "replay", "1"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o.until("DATAGRAMS."+partitionOfFirst(list)+" 3", "dead", "list")
	if out, err := o.weir("dead", "drop", "2", "3"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	o.until("no dead letters", "dead", "list")
	if out, err := o.weir("dead", "drop", "2"); err == nil {
		t.Errorf("a letter that is not there was dropped:\n%s", out)
	}
}

// partitionOfFirst returns the partition of the letter with number 1.
func partitionOfFirst(list string) string {
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); fields[0] == "1" {
			_, p, _ := strings.Cut(fields[3], ".")
			return p
		}
	}
	return ""
}

func TestTemplatesCanBeSeenAndForgotten(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	source := netip.MustParseAddr("192.0.2.1")
	template := (&exporter{version: 9, sequence: 1}).v9()
	var batch flow.Datagrams
	batch.Append(&flow.Datagram{Exporter: source, Source: netip.AddrPortFrom(source, 9), ReceivedNs: 1, Payload: template})
	o.publish(strconv.Itoa(bus.Partition(source, 16)), batch.AppendVT(nil))
	o.until("192.0.2.1", "templates", "list")
	out, err := o.weir("templates", "show", "192.0.2.1")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var shown struct {
		Domains []struct {
			Domain    uint32 `json:"observation_domain"`
			Templates []struct {
				ID     int
				Fields []struct{ Element, Length int }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d := shown.Domains[0]
	if d.Domain != 7 || d.Templates[0].ID != v9Template || len(d.Templates[0].Fields) != 6 || d.Templates[0].Fields[1].Element != 12 {
		t.Errorf("weir templates show:\n%s", out)
	}
	if out, err := o.weir("templates", "forget", "192.0.2.1"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o.until("[]", "templates", "list", "--json")
}

func TestStatusShowsWorkersLagAndStreams(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.until("decode     DATAGRAMS  1 ", "status")
	var batch flow.Datagrams
	for range 16 {
		o.publish("5", batch.AppendVT(nil))
	}
	// Nobody reads FLOWS: the positions that decode appends wait for enrich.
	out := o.until(".5: ", "status")
	if !strings.Contains(out, "DEAD") {
		t.Errorf("weir status:\n%s", out)
	}
	var survey bus.Survey
	text, err := o.weir("status", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(text), &survey)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, st := range survey.Stages {
		if st.Stage != bus.Decode {
			continue
		}
		if len(st.Workers) != 1 || len(st.Partitions) != 16 || st.Partitions[5].Worker != st.Workers[0] {
			t.Errorf("decode: %+v", st)
		}
	}
}
