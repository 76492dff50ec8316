// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// totals of a capture.
func totals(flows []traffic.Flow, v6 bool) (count, packets, octets uint64) {
	for _, f := range flows {
		if v6 || !f.IPv6() {
			count++
			packets += f.Packets
			octets += f.IPBytes
		}
	}
	return count, packets, octets
}

// TestMessagesAreWhatTheProtocolSays: an independent reader takes them apart.
func TestMessagesAreWhatTheProtocolSays(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	pcap, flows := writeCapture(t, 40)
	for _, protocol := range []string{"v1", "v5", "v9", "ipfix"} {
		for _, packet := range []int{576, 1500} {
			t.Run(fmt.Sprintf("%s in packets of %d octets", protocol, packet), func(t *testing.T) {
				t.Parallel()
				datagrams := export(t, pcap, func(c *probe.Config) { c.Protocol, c.MaxPacket, c.Domain = protocol, packet, 7 })
				rows := dissect(t, datagrams, "cflow", "cflow.octets", "cflow.packets", "cflow.srcport")
				var count, packets, octets uint64
				for i, row := range rows {
					octets += sum(t, row[0])
					packets += sum(t, row[1])
					count += uint64(len(row[0]))
					if len(datagrams[i])+28 > packet {
						t.Errorf("datagram %d has %d octets", i, len(datagrams[i]))
					}
				}
				wantCount, wantPackets, wantOctets := totals(flows, protocol == "v9" || protocol == "ipfix")
				if count != wantCount || packets != wantPackets || octets != wantOctets {
					t.Errorf("%d flows, %d packets, %d octets, want %d, %d, %d", count, packets, octets, wantCount, wantPackets, wantOctets)
				}
				checkHeaders(t, protocol, datagrams, rows)
			})
		}
	}
}

// checkHeaders checks versions, sequence numbers, counts, lengths and times against what
// tshark found in each message.
func checkHeaders(t *testing.T, protocol string, datagrams [][]byte, rows [][][]string) {
	t.Helper()
	be := binary.BigEndian
	var sequence uint32
	for i, d := range datagrams {
		flows := uint32(len(rows[i][0]))
		var at time.Time
		var got uint32
		switch protocol {
		case "v1":
			at, got = time.Unix(int64(be.Uint32(d[8:])), 0), sequence
			wantNumber(t, i, "length", len(d), 16+48*int(flows))
		case "v5":
			at, got = time.Unix(int64(be.Uint32(d[8:])), 0), be.Uint32(d[16:])
			wantNumber(t, i, "length", len(d), 24+48*int(flows))
			wantNumber(t, i, "engine id", int(d[21]), 7)
		case "v9":
			at, got = time.Unix(int64(be.Uint32(d[8:])), 0), be.Uint32(d[12:])
			wantNumber(t, i, "source id", int(be.Uint32(d[16:])), 7)
			checkSets(t, i, d[20:], 4)
		case "ipfix":
			at, got = time.Unix(int64(be.Uint32(d[4:])), 0), be.Uint32(d[8:])
			wantNumber(t, i, "length", int(be.Uint16(d[2:])), len(d))
			wantNumber(t, i, "domain", int(be.Uint32(d[12:])), 7)
			checkSets(t, i, d[16:], 1)
		}
		wantNumber(t, i, "sequence", int(got), int(sequence))
		switch protocol {
		case "v5":
			sequence += flows
		case "v9":
			sequence++
		case "ipfix":
			sequence += flows
			if i == 0 {
				sequence++ // the options record of the interface
			}
		}
		if at.Before(start()) || at.After(start().Add(2*time.Minute)) {
			t.Errorf("datagram %d: export time %v is not that of the capture", i, at)
		}
	}
}

func wantNumber(t *testing.T, i int, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("datagram %d: %s %d, want %d", i, what, got, want)
	}
}

// checkSets walks the sets: lengths fit and are multiples of what the protocol wants, and
// in the first message templates come before the data.
func checkSets(t *testing.T, i int, b []byte, multiple int) {
	t.Helper()
	const firstData = 256
	data := false
	for len(b) > 0 {
		id, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if size < 4 || size > len(b) || size%multiple != 0 {
			t.Fatalf("datagram %d: set %d has %d octets of %d", i, id, size, len(b))
		}
		data = data || id >= firstData
		if id < firstData && data {
			t.Errorf("datagram %d: a template comes after data", i)
		}
		b = b[size:]
	}
	if i == 0 && !data {
		t.Log("the first message has templates only")
	}
}

func TestSFlowSamplesEveryPacketOfACaptureOnce(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	pcap, flows := writeCapture(t, 10)
	datagrams := export(t, pcap, func(c *probe.Config) { c.Protocol = "sflow" })
	rows := dissect(t, datagrams, "sflow", "sflow_245.sequence_number", "sflow_245.header.frame_length",
		"sflow.flow_sample.sample_pool", "sflow.flow_sample.sampling_rate", "sflow_245.numsamples")
	var packets, octets, pool uint64
	for i, row := range rows {
		wantNumber(t, i, "sequence", int(number(t, row[0][0])), i+1)
		wantNumber(t, i, "samples", len(row[1]), int(number(t, row[4][0])))
		packets += uint64(len(row[1]))
		octets += sum(t, row[1])
		for n, v := range row[2] {
			pool++
			wantNumber(t, i, "pool", int(number(t, v)), int(pool))
			wantNumber(t, i, "rate", int(number(t, row[3][n])), 1)
		}
		if len(datagrams[i]) > 1472 {
			t.Errorf("datagram %d has %d octets", i, len(datagrams[i]))
		}
	}
	var wantPackets, wantOctets uint64
	const fcs = 4
	for _, f := range flows {
		wantPackets += f.Packets
		wantOctets += f.FrameBytes + fcs*f.Packets
	}
	if packets != wantPackets || octets != wantOctets {
		t.Errorf("%d packets of %d octets, want %d of %d", packets, octets, wantPackets, wantOctets)
	}
}

func TestSamplingIsToldInOptions(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	pcap, flows := writeCapture(t, 40)
	_, all, _ := totals(flows, true)
	for protocol, field := range map[string]string{"v9": "cflow.sampler_random_interval", "ipfix": "cflow.sampling_population", "v5": "cflow.samplerate"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			datagrams := export(t, pcap, func(c *probe.Config) { c.Protocol, c.SampleOneIn = protocol, 4 })
			rows := dissect(t, datagrams, "cflow", field, "cflow.packets")
			if got := rows[0][0]; len(got) != 1 || got[0] != "4" {
				t.Errorf("interval %v, want 4", got)
			}
			var packets uint64
			for _, row := range rows {
				packets += sum(t, row[1])
			}
			if protocol != "v5" && packets != all/4 && packets != all/4+1 {
				t.Errorf("%d of %d packets were measured, want one in 4", packets, all)
			}
		})
	}
}

func TestBiflowHasBothDirections(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	pcap, flows := writeCapture(t, 10)
	datagrams := export(t, pcap, func(c *probe.Config) { c.Biflow = true })
	rows := dissect(t, datagrams, "cflow", "cflow.packets", "cflow.octets")
	var count, packets, octets uint64
	for _, row := range rows {
		count += uint64(len(row[0]))
		packets += sum(t, row[0])
		octets += sum(t, row[1])
	}
	// tshark shows forward and reverse counters under the same name.
	wantCount, wantPackets, wantOctets := totals(flows, true)
	if count != wantCount || packets != wantPackets || octets != wantOctets {
		t.Errorf("%d directions, %d packets, %d octets, want %d, %d, %d", count, packets, octets, wantCount, wantPackets, wantOctets)
	}
}
