// SPDX-License-Identifier: Apache-2.0

package model

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"
)

// parser gathers what is wrong.
type parser struct {
	doc  document
	plan Plan
	errs []error
}

// Parse reads a configuration and reports everything that is wrong with it.
func Parse(text []byte) (Plan, error) {
	doc, err := decode(text)
	if err != nil {
		return Plan{}, err
	}
	p := &parser{doc: doc}
	targets := p.exportingProcesses()
	caches := p.caches(targets)
	processes := p.selectionProcesses(caches)
	p.observationPoints(processes)
	return p.plan, errors.Join(p.errs...)
}

func (p *parser) wrong(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

// unique notes a name of a list and reports one that is empty or there twice.
func unique[V any](p *parser, seen map[string]V, list, name string, v V) {
	if _, ok := seen[name]; ok || name == "" {
		p.wrong("%s %q: the name is empty or not the only one", list, name)
	}
	seen[name] = v
}

// exportingProcesses returns the destinations of each.
func (p *parser) exportingProcesses() map[string][]int {
	all := map[string][]int{}
	for _, e := range p.doc.ExportingProcess {
		where := fmt.Sprintf("exportingProcess %q", e.Name)
		if e.ExportMode != "" && e.ExportMode != "parallel" && e.ExportMode != "ietf-ipfix-psamp:parallel" {
			p.wrong("%s: exportMode %q is not supported, only parallel", where, e.ExportMode)
		}
		if e.Options != nil {
			p.wrong("%s: options are not supported; sampling and interfaces are always told", where)
		}
		if len(e.Destination) == 0 {
			p.wrong("%s: has no destination", where)
		}
		var indexes []int
		for _, d := range e.Destination {
			indexes = append(indexes, len(p.plan.Destinations))
			p.plan.Destinations = append(p.plan.Destinations, p.destination(fmt.Sprintf("%s: destination %q", where, d.Name), d))
		}
		unique(p, all, "exportingProcess", e.Name, indexes)
	}
	return all
}

func (p *parser) destination(where string, d destination) Destination {
	out := Destination{Name: d.Name, Transport: UDP, Refresh: DefaultRefresh}
	x := d.UDPExporter
	switch {
	case d.SCTPExporter != nil || d.FileWriter != nil:
		p.wrong("%s: sctpExporter and fileWriter are not supported, only udpExporter and tcpExporter", where)
		return out
	case (d.UDPExporter == nil) == (d.TCPExporter == nil):
		p.wrong("%s: want one of udpExporter and tcpExporter", where)
		return out
	case d.TCPExporter != nil:
		x, out.Transport, out.Refresh = d.TCPExporter, TCP, 0
	}
	out.Version = max(x.IPFIXVersion, 1)
	if x.IPFIXVersion == 0 {
		out.Version = 10
	}
	if !slices.Contains([]uint16{1, 5, 9, 10}, out.Version) || out.Transport == TCP && out.Version != 10 {
		p.wrong("%s: ipfixVersion is %d, want 10, over UDP also 1, 5 or 9", where, out.Version)
	}
	p.security(where, x, &out)
	p.addresses(where, x, &out)
	p.timing(where, x, &out)
	return out
}

func (p *parser) security(where string, x *exporter, out *Destination) {
	if x.TransportLayerSecurity == nil {
		return
	}
	if out.Transport != TCP {
		p.wrong("%s: DTLS is not supported; TLS is, with tcpExporter", where)
	}
	out.Transport = TLS
	if names := x.TransportLayerSecurity.RemoteSubjectFQDN; len(names) > 0 {
		out.ServerName = names[0]
	}
}

func (p *parser) addresses(where string, x *exporter, out *Destination) {
	address, err := netip.ParseAddr(x.DestinationIPAddress)
	if err != nil {
		p.wrong("%s: destinationIPAddress is %q, want an IP address", where, x.DestinationIPAddress)
	}
	port := x.DestinationPort
	if port == 0 {
		port = 4739
		if out.Transport == TLS {
			port = 4740
		}
	}
	out.Address = netip.AddrPortFrom(address, port).String()
	if x.SourceIPAddress != "" {
		if out.Source, err = netip.ParseAddr(x.SourceIPAddress); err != nil {
			p.wrong("%s: sourceIPAddress is %q, want an IP address", where, x.SourceIPAddress)
		}
	}
}

func (p *parser) timing(where string, x *exporter, out *Destination) {
	if x.MaxPacketSize != 0 && (x.MaxPacketSize < 512 || x.MaxPacketSize > 65535) {
		p.wrong("%s: maxPacketSize is %v, want 512 to 65535, or 0 for that of the route", where, x.MaxPacketSize)
	}
	out.MaxPacket, out.SendBuffer = int(x.MaxPacketSize), int(x.SendBufferSize)
	// Templates and options templates are sent together: by what is sooner.
	for _, n := range []*number{x.TemplateRefreshTimeout, x.OptionsTemplateRefreshTimeout} {
		if n != nil {
			out.Refresh = min(out.Refresh, seconds(*n))
		}
	}
	for _, n := range []number{x.TemplateRefreshPacket, x.OptionsTemplateRefreshPacket} {
		if n > 0 && (out.RefreshMessages == 0 || int(n) < out.RefreshMessages) {
			out.RefreshMessages = int(n)
		}
	}
}

func seconds(n number) time.Duration {
	return time.Duration(min(float64(n)*1e9, math.MaxInt64/2))
}

func (p *parser) observationPoints(processes map[string]int) {
	if len(p.doc.ObservationPoint) == 0 {
		p.wrong("observationPoint: there is none")
	}
	seen := map[string]bool{}
	for _, o := range p.doc.ObservationPoint {
		unique(p, seen, "observationPoint", o.Name, true)
		where := fmt.Sprintf("observationPoint %q", o.Name)
		if (len(o.IfName) == 0) == (o.OfflineFile == "") {
			p.wrong("%s: want one of ifName and offlineFile", where)
		}
		if !slices.Contains([]string{"", "ingress", "egress", "both"}, o.Direction) {
			p.wrong("%s: direction is %q, want ingress, egress or both", where, o.Direction)
		}
		point := Point{
			Name: o.Name, Interfaces: o.IfName, File: o.OfflineFile, Domain: o.ObservationDomainID,
			Promiscuous: bool(o.Promiscuous), SnapLength: int(o.SnapLength), MaxPackets: uint64(o.MaxObservingPackets), Filter: o.Filter,
			Direction: Direction(o.Direction),
		}
		if point.Direction == "" {
			point.Direction = Both
		}
		if point.SnapLength == 0 {
			point.SnapLength = DefaultSnap
		}
		for _, name := range o.SelectionProcess {
			if i, ok := processes[name]; ok {
				point.Processes = append(point.Processes, i)
			} else {
				p.wrong("%s: there is no selectionProcess %q", where, name)
			}
		}
		p.plan.Points = append(p.plan.Points, point)
	}
}
