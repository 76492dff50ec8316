// SPDX-License-Identifier: Apache-2.0

// Package snmp asks devices for their name and for the names, descriptions and speeds of
// their interfaces (RFC 3418, RFC 2863), by SNMP v2c or v3.
package snmp
