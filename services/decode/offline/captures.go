// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"errors"
	"io"
	"slices"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/capture"
)

// captures takes export datagrams out of captures.
type captures struct {
	ports []uint16 // that are wanted, all where there are none

	assembler  capture.Assembler
	packets    uint64
	otherPorts uint64
	outcomes   [capture.UnknownLink + 1]uint64
}

// read calls f with the datagrams of a capture to the wanted ports.
func (c *captures) read(r io.Reader, f func(packet int, g *flow.Datagram) error) error {
	file, err := capture.NewReader(r)
	if err != nil {
		return err
	}
	for {
		p, err := file.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if g := c.datagram(p); g != nil {
			if err := f(p.Number, g); err != nil {
				return err
			}
		}
	}
}

// datagram returns the datagram that a packet makes whole, nil where there is none that is wanted.
func (c *captures) datagram(p capture.Packet) *flow.Datagram {
	c.packets++
	udp, outcome := c.assembler.Datagram(p)
	c.outcomes[outcome]++
	if outcome != capture.Whole && outcome != capture.Cut {
		return nil
	}
	if len(c.ports) != 0 && !slices.Contains(c.ports, udp.Destination.Port()) {
		c.otherPorts++
		return nil
	}
	return &flow.Datagram{
		Exporter: flow.ExporterOf(udp.Source.Addr(), udp.Payload), Source: udp.Source,
		ListenerPort: udp.Destination.Port(), ReceivedNs: p.Ns, Payload: udp.Payload,
	}
}

// ignored says which packets were no export datagrams, or not whole.
func (c *captures) ignored() (all []Refusal) {
	for _, r := range []Refusal{
		{"not_udp", c.outcomes[capture.Other], "packet of another protocol than UDP over IP"},
		{"other_port", c.otherPorts, "datagram to a port that was not asked for"},
		{"link_unknown", c.outcomes[capture.UnknownLink], "frame of an unknown link type, in which no IP packet was found"},
		{"fragment_bad", c.outcomes[capture.BadFragment], "fragment that contradicts others of its datagram (RFC 5722 §3)"},
		{"fragments_missing", uint64(c.assembler.Waiting()), "datagram of which fragments are missing"}, //nolint:gosec // a count
		{"packet_cut", c.outcomes[capture.Cut], "datagram whose end was not captured; it is decoded as far as it goes"},
	} {
		if r.Count != 0 {
			all = append(all, r)
		}
	}
	return all
}
