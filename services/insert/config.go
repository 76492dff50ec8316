// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Config says where rows go and how many at a time.
type Config struct {
	// DSN and Database say where the tables are. They are not settings of this section: the
	// process fills them from clickhouse.dsn and clickhouse.database.
	DSN      string `yaml:"-"`
	Database string `yaml:"-"`
	// Migration is the newest one that this version knows, and needs; 0 does not look.
	Migration uint32 `yaml:"-"`
	// MaxRows is how many rows make a batch full. An insert has at most a message more.
	MaxRows int `yaml:"max_rows" usage:"rows that make an insert full"`
	// MaxWait is how long the first row of a batch waits for more.
	MaxWait time.Duration `yaml:"max_wait" usage:"time after which an insert is sent even if it is not full"`
	// Timeout is how long ClickHouse has for one insert before it is repeated.
	Timeout time.Duration `yaml:"timeout" usage:"time that ClickHouse has for one insert before it is repeated"`
	// Compression of what goes to ClickHouse: none, lz4 or zstd. LZ4 makes a third of the bytes
	// and triples the CPU time of insert.
	Compression string `yaml:"compression" usage:"compression of what goes to ClickHouse: none, or lz4 or zstd where the network is slow"`
}

// DefaultConfig returns the defaults; DSN and Database have none.
func DefaultConfig() Config {
	return Config{
		MaxRows:     200_000,
		MaxWait:     2 * time.Second,
		Timeout:     time.Minute,
		Compression: "none",
	}
}

// greatestRows keeps an insert one block: ClickHouse splits what is larger.
const greatestRows = 1_000_000

// Validate reports all problems at once. A DSN that is not there yet is none.
func (c Config) Validate() error {
	var errs []error
	if c.MaxRows < 1 || c.MaxRows > greatestRows {
		errs = append(errs, fmt.Errorf("max_rows: is %d, want 1 to %d, for example 200000", c.MaxRows, greatestRows))
	}
	if c.MaxWait <= 0 || c.MaxWait > time.Minute {
		errs = append(errs, fmt.Errorf(`max_wait: is %v, want more than 0 and at most 1m, for example "2s"`, c.MaxWait))
	}
	if c.Timeout < time.Second {
		errs = append(errs, fmt.Errorf(`timeout: is %v, want at least 1s, for example "1m"`, c.Timeout))
	}
	if _, ok := compressions()[c.Compression]; !ok {
		errs = append(errs, fmt.Errorf(`compression: is %q, want "none", "lz4" or "zstd"`, c.Compression))
	}
	if c.DSN != "" {
		if _, err := c.options(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func compressions() map[string]clickhouse.CompressionMethod {
	return map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
	}
}

// errDSN never repeats the DSN, which may hold a password.
var errDSN = errors.New(`clickhouse.dsn: want addresses of a server, for example "clickhouse://user:password@host:9000" or "https://user:password@host:8443"`)

// options is what the driver makes of the DSN, with what a writer needs besides: one for
// each server that the DSN names.
func (c Config) options() ([]*clickhouse.Options, error) {
	parsed, err := clickhouse.ParseDSN(c.DSN)
	scheme, _, _ := strings.Cut(c.DSN, "://")
	if err != nil || !slices.Contains([]string{"clickhouse", "tcp", "native", "http", "https"}, scheme) {
		return nil, errDSN
	}
	var servers []*clickhouse.Options
	for _, address := range parsed.Addr {
		o := *parsed
		o.Addr = []string{address}
		o.Auth.Database = c.Database
		if method := compressions()[c.Compression]; method != clickhouse.CompressionNone {
			o.Compression = &clickhouse.Compression{Method: method}
		}
		if o.DialTimeout == 0 {
			o.DialTimeout = 5 * time.Second
		}
		// The driver sends when so many bytes are encoded: small enough for the CPU's cache.
		o.MaxCompressionBuffer = sendBytes
		// One connection a writer.
		o.MaxOpenConns, o.MaxIdleConns = 3, 3
		servers = append(servers, &o)
	}
	return servers, nil
}

const sendBytes = 1 << 20
