// SPDX-License-Identifier: Apache-2.0

package snmp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/gosnmp/gosnmp"
)

func authProtocols() map[string]gosnmp.SnmpV3AuthProtocol {
	return map[string]gosnmp.SnmpV3AuthProtocol{
		"": gosnmp.NoAuth, "md5": gosnmp.MD5, "sha": gosnmp.SHA, "sha224": gosnmp.SHA224,
		"sha256": gosnmp.SHA256, "sha384": gosnmp.SHA384, "sha512": gosnmp.SHA512,
	}
}

func privProtocols() map[string]gosnmp.SnmpV3PrivProtocol {
	return map[string]gosnmp.SnmpV3PrivProtocol{
		"": gosnmp.NoPriv, "des": gosnmp.DES, "aes": gosnmp.AES, "aes192": gosnmp.AES192, "aes256": gosnmp.AES256,
	}
}

// Validate reports the first problem; it begins with the name of the setting.
func (a Access) Validate() error {
	_, knownAuth := authProtocols()[a.AuthProtocol]
	_, knownPriv := privProtocols()[a.PrivProtocol]
	switch {
	case a.Version != "2c" && a.Version != "3":
		return fmt.Errorf("version: is %q, want 2c or 3", a.Version)
	case a.Version == "2c" && a.Community == "":
		return errors.New("community: is missing")
	case a.Version == "3" && a.Username == "":
		return errors.New("username: is missing")
	case !knownAuth:
		return fmt.Errorf("auth_protocol: is %q, want one of %s", a.AuthProtocol, strings.Join(slices.Sorted(maps.Keys(authProtocols())), " "))
	case !knownPriv:
		return fmt.Errorf("priv_protocol: is %q, want one of %s", a.PrivProtocol, strings.Join(slices.Sorted(maps.Keys(privProtocols())), " "))
	case a.AuthProtocol == "" && a.PrivProtocol != "":
		return errors.New("auth_protocol: is missing, and needed for encryption")
	case a.AuthProtocol != "" && len(a.AuthPassword) < 8, a.PrivProtocol != "" && len(a.PrivPassword) < 8:
		return errors.New("auth_password, priv_password: want at least 8 characters") // RFC 3414 section 11.2
	default:
		return nil
	}
}

// client makes the client for one device.
func (a Access) client(ctx context.Context, addr netip.Addr) *gosnmp.GoSNMP {
	g := &gosnmp.GoSNMP{
		Target: addr.String(), Port: a.Port, Context: ctx, Timeout: a.Timeout, Retries: a.Retries,
		MaxOids: gosnmp.MaxOids, MaxRepetitions: 25, Version: gosnmp.Version2c, Community: a.Community,
	}
	if a.Version != "3" {
		return g
	}
	g.Version, g.SecurityModel = gosnmp.Version3, gosnmp.UserSecurityModel
	g.MsgFlags = gosnmp.NoAuthNoPriv
	switch {
	case a.PrivProtocol != "":
		g.MsgFlags = gosnmp.AuthPriv
	case a.AuthProtocol != "":
		g.MsgFlags = gosnmp.AuthNoPriv
	}
	g.SecurityParameters = &gosnmp.UsmSecurityParameters{
		UserName:               a.Username,
		AuthenticationProtocol: authProtocols()[a.AuthProtocol], AuthenticationPassphrase: a.AuthPassword,
		PrivacyProtocol: privProtocols()[a.PrivProtocol], PrivacyPassphrase: a.PrivPassword,
	}
	return g
}
