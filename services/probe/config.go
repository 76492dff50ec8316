// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/weirflow/weir/services/probe/internal/model"
)

// Config is the section `probe`.
type Config struct {
	Model         string        `yaml:"model" usage:"file with a configuration in the data model of RFC 6728 as JSON; the settings below, but speed, are then not used"`
	Interfaces    []string      `yaml:"interfaces" usage:"interfaces to capture from"`
	Files         []string      `yaml:"files" usage:"pcap or pcapng files to read instead; the probe ends with the last"`
	Speed         float64       `yaml:"speed" usage:"how fast files are read: 1 as they were captured, 10 ten times faster, 0 as fast as possible"`
	Promiscuous   bool          `yaml:"promiscuous" usage:"take packets that are for others too"`
	SnapLength    int           `yaml:"snap_length" usage:"octets that are captured of each packet"`
	Filter        string        `yaml:"filter" usage:"expression of pcap-filter(7) that packets must match, e.g. not port 4739; needs tcpdump, or is what tcpdump -ddd prints; empty: all"`
	To            []string      `yaml:"to" usage:"collectors, host:port"`
	Protocol      string        `yaml:"protocol" usage:"v1, v5, v9, ipfix, psamp (each packet, in IPFIX) or sflow"`
	Transport     string        `yaml:"transport" usage:"udp; for ipfix and psamp also tcp or tls"`
	TLSCA         string        `yaml:"tls_ca" usage:"PEM file with the authorities that collectors' certificates are checked with; empty: the system's"`
	TLSCert       string        `yaml:"tls_cert" usage:"PEM file with the probe's certificate; empty: none"`
	TLSKey        string        `yaml:"tls_key" usage:"PEM file with its key"`
	Domain        uint32        `yaml:"domain" usage:"observation domain, source id, engine id or sub-agent"`
	Agent         string        `yaml:"agent" usage:"agent address of sflow; empty: the one that datagrams are sent from"`
	MaxPacket     int           `yaml:"max_packet" usage:"greatest IP packet sent, octets; 0: that of the route, at most 1500"`
	Refresh       time.Duration `yaml:"refresh" usage:"time after which templates are sent again over UDP"`
	SampleOneIn   int           `yaml:"sample_one_in" usage:"take one packet of as many at random; 1: all"`
	MaxFlows      int           `yaml:"max_flows" usage:"flows kept at once; then the one that was quiet for longest makes room"`
	ActiveTimeout time.Duration `yaml:"active_timeout" usage:"age at which a flow is exported although it goes on; 0: none"`
	IdleTimeout   time.Duration `yaml:"idle_timeout" usage:"time without packets after which a flow is exported; 0: none"`
	Biflow        bool          `yaml:"biflow" usage:"one flow for both directions (RFC 5103); for ipfix"`
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		Interfaces: []string{}, Files: []string{}, To: []string{},
		Promiscuous: true, SnapLength: model.DefaultSnap,
		Protocol: "ipfix", Transport: "udp", Refresh: model.DefaultRefresh,
		SampleOneIn: 1, MaxFlows: model.DefaultMaxFlows, ActiveTimeout: time.Minute, IdleTimeout: model.DefaultIdle,
	}
}

// Validate returns all problems at once. It reads the model, if one is named.
func (c Config) Validate() error {
	if c.Model != "" {
		return c.validateModel()
	}
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check((len(c.Interfaces) == 0) != (len(c.Files) == 0), "interfaces, files: want one of them")
	check(c.Speed >= 0, "speed: is %v, want 0 or more", c.Speed)
	check(c.SnapLength >= 64 && c.SnapLength <= 65535, "snap_length: is %d, want 64 to 65535", c.SnapLength)
	check(len(c.To) > 0, `to: is empty, want e.g. "collector:4739"`)
	for i, to := range c.To {
		_, port, err := net.SplitHostPort(to)
		check(err == nil && port != "", "to[%d]: is %q, want host:port", i, to)
	}
	_, known := versions[c.Protocol]
	check(known, "protocol: is %q, want v1, v5, v9, ipfix, psamp or sflow", c.Protocol)
	check(slices.Contains([]string{"udp", "tcp", "tls"}, c.Transport), "transport: is %q, want udp, tcp or tls", c.Transport)
	check(c.Transport == "udp" || versions[c.Protocol] == 10, "transport: is %s, which only ipfix and psamp have", c.Transport)
	check(c.MaxPacket == 0 || c.MaxPacket >= 512 && c.MaxPacket <= 65535, "max_packet: is %d, want 0 or 512 to 65535", c.MaxPacket)
	check(c.Refresh > 0, "refresh: is %v, want more than 0", c.Refresh)
	check(c.SampleOneIn >= 1 && c.SampleOneIn <= 1<<24, "sample_one_in: is %d, want 1 to %d", c.SampleOneIn, 1<<24)
	check(c.MaxFlows >= 1 && c.MaxFlows <= 1<<28, "max_flows: is %d, want 1 to %d", c.MaxFlows, 1<<28)
	check(c.ActiveTimeout >= 0 && c.IdleTimeout >= 0, "active_timeout, idle_timeout: want 0 or more")
	check(!c.Biflow || c.Protocol == "ipfix", "biflow: is for ipfix, not for %s", c.Protocol)
	if c.Agent != "" {
		_, err := netip.ParseAddr(c.Agent)
		check(err == nil, "agent: is %q, want an IP address", c.Agent)
	}
	check((c.TLSCert == "") == (c.TLSKey == ""), "tls_cert, tls_key: want both or none")
	return errors.Join(append(errs, checkFilter("filter", c.Filter))...)
}

// validateModel reads the model.
func (c Config) validateModel() error {
	plan, err := c.plan()
	errs := []error{err}
	for _, p := range plan.Points {
		errs = append(errs, checkFilter(fmt.Sprintf("model %s: observationPoint %q: filter", c.Model, p.Name), p.Filter))
	}
	return errors.Join(errs...)
}

// psamp is the protocol of packet reports (RFC 5476).
const psamp = "psamp"

// versions of the protocols; sFlow counts as 0.
var versions = map[string]uint16{"v1": 1, "v5": 5, "v9": 9, "ipfix": 10, psamp: 10, "sflow": 0}

// plan is what the settings mean.
func (c Config) plan() (model.Plan, error) {
	if c.Model == "" {
		return c.short(), nil
	}
	text, err := os.ReadFile(c.Model)
	if err != nil {
		return model.Plan{}, fmt.Errorf("model: %w", err)
	}
	plan, err := model.Parse(text)
	if err != nil {
		return plan, fmt.Errorf("model %s: %w", c.Model, err)
	}
	return plan, nil
}
