// SPDX-License-Identifier: Apache-2.0

package snmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
)

// Device is what a device says of itself.
type Device struct {
	Name       string               `json:"name"`
	Interfaces map[uint32]Interface `json:"interfaces"` // by ifIndex
}

// Interface is what it says of an interface. Speed is in bit/s.
type Interface struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Speed       uint64 `json:"speed"`
}

// Clone returns a copy with texts of its own.
func (i Interface) Clone() Interface {
	return Interface{strings.Clone(i.Name), strings.Clone(i.Description), i.Speed}
}

// Access is how a device is asked.
type Access struct {
	Port      uint16
	Version   string // "2c" or "3"
	Community string
	Username  string
	// AuthProtocol is md5, sha, sha224, sha256, sha384 or sha512, PrivProtocol des, aes, aes192
	// or aes256; empty is without.
	AuthProtocol, AuthPassword string
	PrivProtocol, PrivPassword string
	Timeout                    time.Duration
	Retries                    int
}

// Objects (RFC 3418 section 2, RFC 2863 section 6).
const (
	sysName     = ".1.3.6.1.2.1.1.5.0"
	ifDescr     = ".1.3.6.1.2.1.2.2.1.2"
	ifName      = ".1.3.6.1.2.1.31.1.1.1.1"
	ifHighSpeed = ".1.3.6.1.2.1.31.1.1.1.15" // 1,000,000 bit/s
	ifAlias     = ".1.3.6.1.2.1.31.1.1.1.18"
)

// maxInterfaces bounds what one device can make us keep.
const maxInterfaces = 1 << 16

var errTooMany = errors.New("too many interfaces")

// Ask asks a device for everything.
func Ask(ctx context.Context, addr netip.Addr, a Access) (*Device, error) {
	g := a.client(ctx, addr)
	if err := g.Connect(); err != nil {
		return nil, err
	}
	defer g.Conn.Close()
	answer, err := g.Get([]string{sysName})
	if err != nil {
		return nil, fmt.Errorf("get sysName: %w", err)
	}
	d := &Device{Interfaces: map[uint32]Interface{}}
	for _, v := range answer.Variables {
		d.Name = asText(v)
	}
	descriptions := map[uint32]string{}
	for _, column := range []struct {
		name, oid string
		set       func(i *Interface, index uint32, v gosnmp.SnmpPDU)
	}{
		{"ifDescr", ifDescr, func(_ *Interface, index uint32, v gosnmp.SnmpPDU) { descriptions[index] = asText(v) }},
		{"ifName", ifName, func(i *Interface, _ uint32, v gosnmp.SnmpPDU) { i.Name = asText(v) }},
		{"ifAlias", ifAlias, func(i *Interface, _ uint32, v gosnmp.SnmpPDU) { i.Description = asText(v) }},
		{"ifHighSpeed", ifHighSpeed, func(i *Interface, _ uint32, v gosnmp.SnmpPDU) {
			i.Speed = gosnmp.ToBigInt(v.Value).Uint64() * 1_000_000
		}},
	} {
		if err := d.walk(g, column.oid, column.set); err != nil {
			return nil, fmt.Errorf("walk %s: %w", column.name, err)
		}
	}
	for index, i := range d.Interfaces { // devices without ifXTable have ifDescr only
		i.Name = cmp.Or(i.Name, descriptions[index])
		i.Description = cmp.Or(i.Description, descriptions[index])
		d.Interfaces[index] = i
	}
	return d, nil
}

// walk reads one column of the tables of interfaces.
func (d *Device) walk(g *gosnmp.GoSNMP, oid string, set func(*Interface, uint32, gosnmp.SnmpPDU)) error {
	return g.BulkWalk(oid, func(v gosnmp.SnmpPDU) error {
		index, err := strconv.ParseUint(strings.TrimPrefix(v.Name, oid+"."), 10, 32)
		if err != nil {
			return nil //nolint:nilerr // no row of this table
		}
		if len(d.Interfaces) >= maxInterfaces {
			return errTooMany
		}
		i := d.Interfaces[uint32(index)]
		set(&i, uint32(index), v)
		d.Interfaces[uint32(index)] = i
		return nil
	})
}

// asText returns an octet string as valid UTF-8.
func asText(v gosnmp.SnmpPDU) string {
	octets, _ := v.Value.([]byte)
	return strings.TrimSpace(strings.ToValidUTF8(string(octets), "�"))
}
