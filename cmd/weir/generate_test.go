// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// generated is what generate tells in the end.
type generated struct {
	Total     struct{ Flows, Bytes, Packets uint64 }
	Exporters []struct {
		Exporter string
		Flood    struct{ Flows uint64 }
	}
}

// TestGeneratedRowsAreWhatIsTold: the rows add up to the totals, and those of the flood go to its victim.
func TestGeneratedRowsAreWhatIsTold(t *testing.T) {
	t.Parallel()
	cmd := weir(t, "generate", "--rows", "neutral", "--rate", "0", "--count", "3000", "--exporters", "4", "--flood", "198.51.100.10")
	var told bytes.Buffer
	cmd.Stderr = &told
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	var want generated
	if err := json.Unmarshal(told.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	var flows, octets, packets, flooded, wantFlooded uint64
	for line := range strings.Lines(string(out)) {
		var row struct {
			Bytes   uint64
			Packets uint64
			DstAddr string `json:"dst_addr"`
			Type    string
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		flows++
		packets += row.Packets
		octets += row.Bytes
		if row.DstAddr == "198.51.100.10" {
			flooded++
		}
	}
	for _, e := range want.Exporters {
		wantFlooded += e.Flood.Flows
	}
	if flows != want.Total.Flows || octets != want.Total.Bytes || packets != want.Total.Packets || flooded != wantFlooded || flooded == 0 {
		t.Errorf("rows: %d flows, %d octets, %d packets, %d of the flood; told: %+v, %d of the flood", flows, octets, packets, flooded, want.Total, wantFlooded)
	}
}

func TestGenerateRefusesWhatItCantSend(t *testing.T) {
	t.Parallel()
	for want, args := range map[string]string{
		"--flood: ":                      "--flood 1.2.3",
		"target is an IPv4 address":      "--scan 2001:db8::1",
		"--rows \"xml\": want json":      "--rows xml",
		"--source: ":                     "--source here",
		"shares of faults are from 0":    "--loss 2",
		"can't send to 127.0.0.1":        "--source 2001:db8::1 --protocol v9",
		"exporters: is 1, want 4 (one":   "--exporters 1",
		"exporters: is 70000, want 4 (o": "--exporters 70000",
	} {
		out, err := weir(t, append([]string{"generate", "--count", "1"}, strings.Fields(args)...)...).CombinedOutput()
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), want) {
			t.Errorf("generate %s: %v, want exit code 2 and %q:\n%s", args, err, want, out)
		}
	}
}

// TestFlowsGoStraightIntoTheStream: what generate says it appended is in ClickHouse, once, beside what comes
// through the socket.
func TestFlowsGoStraightIntoTheStream(t *testing.T) {
	t.Parallel()
	s := up(t)
	if out, err := weir(t, "generate", "--to", s.flows, "--rate", "5000", "--count", "500", "--exporters", "4").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := weir(t, "generate", "--direct", "--rate", "0", "--count", "5000", "--exporters", "4", "--source", "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4")
	cmd.Env = append(cmd.Environ(), "WEIR_NATS_URL=nats://"+s.nats)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	var told generated
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatal(err)
	}
	s.expect("SELECT count(), sum(bytes), sum(packets) FROM flows WHERE startsWith(toString(sampler_address), '::ffff:192.0.2.')",
		fmt.Sprintf("%d\t%d\t%d", told.Total.Flows, told.Total.Bytes, told.Total.Packets))
	s.expect("SELECT count() FROM flows", "5500")
}
