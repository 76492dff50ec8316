// SPDX-License-Identifier: Apache-2.0

package model

import (
	"net/netip"
	"time"

	"github.com/weirflow/weir/services/probe/internal/meter"
)

// Plan is what a probe does. Parts refer to each other by index.
type Plan struct {
	Points       []Point
	Processes    []Process
	Caches       []Cache
	Destinations []Destination
}

// Point is where packets come from: interfaces or a file.
type Point struct {
	Name        string
	Interfaces  []string
	File        string
	Domain      uint32
	Direction   Direction
	Promiscuous bool
	SnapLength  int
	Filter      string // of tcpdump, or a program that it made; empty: all packets
	MaxPackets  uint64 // 0: no limit
	Processes   []int
}

// Direction says which packets of an interface are observed.
type Direction string

// Directions.
const (
	Ingress Direction = "ingress"
	Egress  Direction = "egress"
	Both    Direction = "both"
)

// Process selects packets: those that all selectors take, one after the other.
type Process struct {
	Name      string
	Selectors []meter.Selector
	Cache     int   // that they go to; none: -1
	Samples   []int // destinations of sFlow that they go to
}

// Sampler returns the selector that samples, nil if there is none.
func (p *Process) Sampler() *meter.Selector {
	for i := range p.Selectors {
		if m := p.Selectors[i].Method; m != meter.All && m != meter.Match {
			return &p.Selectors[i]
		}
	}
	return nil
}

// Cache makes flows and has them sent.
type Cache struct {
	Name         string
	Config       meter.Config
	Destinations []int
}

// Transport of a destination.
type Transport string

// Transports.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// Destination is a collector.
type Destination struct {
	Name      string
	Transport Transport
	Address   string // host:port
	Source    netip.Addr
	Version   uint16 // of NetFlow, 10: IPFIX, 0: sFlow
	// MaxPacket is the greatest IP packet, octets; 0: what the route has.
	MaxPacket       int
	Refresh         time.Duration
	RefreshMessages int
	SendBuffer      int
	ServerName      string // that the certificate must have
}

// DefaultRefresh is how often templates are sent again over UDP.
const DefaultRefresh = 600 * time.Second

// Defaults of caches.
const (
	DefaultMaxFlows = 65536
	DefaultActive   = 1800 * time.Second
	DefaultIdle     = 15 * time.Second
	DefaultInterval = 60 * time.Second
	DefaultSnap     = 1518
)
