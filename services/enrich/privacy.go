// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/gaissmai/bart"

	"github.com/weirflow/weir/services/enrich/internal/cryptopan"
)

// privacyConfig says which addresses are hidden, and how.
type privacyConfig struct {
	Hide []hideConfig `yaml:"hide" usage:"addresses to hide: cidr or tenant, and mode (truncate or encrypt)"`
	// IPv4Bits and IPv6Bits stay of truncated addresses.
	IPv4Bits int `yaml:"ipv4_bits" usage:"bits that stay of a truncated IPv4 address"`
	IPv6Bits int `yaml:"ipv6_bits" usage:"bits that stay of a truncated IPv6 address"`
	// KeyFile has 64 hexadecimal digits. A new key is taken into use when the file changes.
	KeyFile string `yaml:"key_file" usage:"file with the key for encryption, 64 hexadecimal digits"`
}

// hideConfig are addresses to hide: those in some prefixes, or those of the networks of a tenant.
type hideConfig struct {
	CIDR   prefixList `yaml:"cidr"`
	Tenant string     `yaml:"tenant"`
	Mode   string     `yaml:"mode"`
}

func (c *privacyConfig) validate() error {
	var errs []error
	encrypts := false
	for i, h := range c.Hide {
		if (len(h.CIDR) == 0) == (h.Tenant == "") {
			errs = append(errs, fmt.Errorf("privacy.hide[%d]: want either cidr or tenant", i))
		}
		if h.Mode != "truncate" && h.Mode != "encrypt" {
			errs = append(errs, fmt.Errorf("privacy.hide[%d].mode: is %q, want truncate or encrypt", i, h.Mode))
		}
		encrypts = encrypts || h.Mode == "encrypt"
	}
	if encrypts && c.KeyFile == "" {
		errs = append(errs, errors.New("privacy.key_file: is missing, and needed to encrypt"))
	}
	if c.IPv4Bits < 0 || c.IPv4Bits > 32 {
		errs = append(errs, fmt.Errorf("privacy.ipv4_bits: %d is not between 0 and 32", c.IPv4Bits))
	}
	if c.IPv6Bits < 0 || c.IPv6Bits > 128 {
		errs = append(errs, fmt.Errorf("privacy.ipv6_bits: %d is not between 0 and 128", c.IPv6Bits))
	}
	return errors.Join(errs...)
}

// hiding is what is done to an address.
type hiding uint8

const (
	shown hiding = iota
	truncated
	encrypted
)

// privacy hides addresses. It never changes.
type privacy struct {
	prefixes   bart.Table[hiding]
	tenants    map[string]hiding
	ipv4, ipv6 int
	cipher     *cryptopan.Cipher // nil before there is a key
}

func newPrivacy(cfg privacyConfig, key *file) *privacy {
	p := &privacy{tenants: map[string]hiding{}, ipv4: cfg.IPv4Bits, ipv6: cfg.IPv6Bits}
	for _, h := range cfg.Hide {
		how := truncated
		if h.Mode == "encrypt" {
			how = encrypted
		}
		if h.Tenant != "" {
			p.tenants[h.Tenant] = how
		}
		for _, prefix := range h.CIDR {
			p.prefixes.Insert(unmapPrefix(prefix).Masked(), how)
		}
	}
	if key != nil {
		p.cipher, _ = key.value.(*cryptopan.Cipher)
	}
	return p
}

// loadKey reads the key of the cipher.
func loadKey(path string) (*cryptopan.Cipher, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := cryptopan.ParseKey(text)
	if err != nil {
		return nil, err
	}
	return cryptopan.New(key)
}

func (p *privacy) empty() bool { return p.prefixes.Size() == 0 && len(p.tenants) == 0 }

// of returns what is done to an address of a tenant's network. The prefix comes first.
func (p *privacy) of(addr netip.Addr, tenant string) hiding {
	if how, ok := p.prefixes.Lookup(addr); ok {
		return how
	}
	return p.tenants[tenant]
}

// hide returns the address that is stored. Without a key, an address that should be encrypted is
// not shown at all.
func (p *privacy) hide(addr netip.Addr, how hiding) netip.Addr {
	switch {
	case how == truncated && addr.Is4():
		return netip.PrefixFrom(addr, p.ipv4).Masked().Addr()
	case how == truncated:
		return netip.PrefixFrom(addr, p.ipv6).Masked().Addr()
	case how == encrypted && p.cipher == nil && addr.Is4():
		return netip.IPv4Unspecified()
	case how == encrypted && p.cipher == nil:
		return netip.IPv6Unspecified()
	case how == encrypted:
		octets := addr.AsSlice()
		p.cipher.Encrypt(octets)
		hidden, _ := netip.AddrFromSlice(octets)
		return hidden
	default:
		return addr
	}
}
