// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// Config says which ClickHouse to use.
type Config struct {
	// DSN of a ClickHouse server that is there already; empty starts one.
	DSN string `yaml:"dsn" secret:"true" usage:"ClickHouse server to use, clickhouse://user:password@host:9000; empty starts one on this machine"`
	// Database that holds the tables; migrations create it.
	Database string `yaml:"database" usage:"database of the tables"`
	// Cluster makes the tables on all servers of a cluster: Replicated, with Distributed ones over them.
	Cluster string `yaml:"cluster" usage:"cluster, of remote_servers in ClickHouse's settings, on which weir migrate makes the tables; empty: on the server of the dsn alone"`
	// KeepDays are the days that rows are kept, by table.
	KeepDays map[string]int `yaml:"keep_days" usage:"days that rows are kept, by table: {flows: 14, flows_1m: 7}; weir migrate sets them, and leaves other tables as they are"`
	// NativeListen is where the started server speaks the native protocol: loopback only.
	NativeListen string `yaml:"native_listen" usage:"loopback address and port of the native protocol of the ClickHouse that is started"`
	// HTTPListen is where the started server speaks HTTP: the host of NativeListen, another port.
	HTTPListen string `yaml:"http_listen" usage:"loopback address and port of HTTP of the ClickHouse that is started"`
	// Engine is the path of libchdb.so, used when no clickhouse program is on the PATH;
	// empty looks into the user's cache folder.
	Engine string `yaml:"engine" usage:"path of libchdb.so, the engine that is started where no clickhouse program is on the PATH; empty looks into the user's cache folder"`
}

// DefaultConfig starts a server on ClickHouse's usual ports.
func DefaultConfig() Config {
	return Config{
		Database:     "weir",
		NativeListen: "127.0.0.1:9000",
		HTTPListen:   "127.0.0.1:8123",
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

const mostDays = 36_500

// Validate returns everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if !identifier.MatchString(c.Database) {
		errs = append(errs, fmt.Errorf("clickhouse.database %q: want a letter or _, then letters, digits and _", c.Database))
	}
	if c.Cluster != "" && (!identifier.MatchString(c.Cluster) || c.DSN == "") {
		errs = append(errs, fmt.Errorf("clickhouse.cluster %q: want a letter or _, then letters, digits and _, and clickhouse.dsn of one of its servers", c.Cluster))
	}
	for _, table := range slices.Sorted(maps.Keys(c.KeepDays)) {
		if days := c.KeepDays[table]; !identifier.MatchString(table) || days < 1 || days > mostDays {
			errs = append(errs, fmt.Errorf("clickhouse.keep_days: %q has %d, want the name of a table and 1 to %d days", table, days, mostDays))
		}
	}
	if c.DSN != "" {
		if _, err := driver.ParseDSN(c.DSN); err != nil {
			errs = append(errs, fmt.Errorf("clickhouse.dsn: %w", err))
		}
		return errors.Join(errs...)
	}
	native, nativeErr := loopback("clickhouse.native_listen", c.NativeListen)
	http, httpErr := loopback("clickhouse.http_listen", c.HTTPListen)
	errs = append(errs, nativeErr, httpErr)
	if nativeErr == nil && httpErr == nil {
		switch {
		case native.Addr() != http.Addr():
			errs = append(errs, fmt.Errorf("clickhouse.http_listen %s: want the host of clickhouse.native_listen, %s", http, native.Addr()))
		case native.Port() == http.Port():
			errs = append(errs, fmt.Errorf("clickhouse.http_listen %s: is clickhouse.native_listen too", http))
		}
	}
	return errors.Join(errs...)
}

// loopback parses the listen address of a server that has no password.
func loopback(key, address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s %q: want address:port", key, address)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return netip.AddrPort{}, fmt.Errorf("%s %q: want a loopback address, the server has no password; for others run one and set clickhouse.dsn", key, address)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return netip.AddrPort{}, fmt.Errorf("%s %q: want a port from 1 to 65535", key, address)
	}
	return netip.AddrPortFrom(ip, uint16(n)), nil
}
