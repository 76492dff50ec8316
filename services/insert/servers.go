// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// servers are the ClickHouse servers of the DSN. Writers use one until it fails to take an
// insert, then the next.
type servers struct {
	conns []driver.Conn
	// silent servers don't say that they dropped a block, which the native protocol does.
	silent bool
}

func openServers(cfg Config) (*servers, error) {
	options, err := cfg.options()
	if err != nil {
		return nil, err
	}
	s := &servers{}
	for _, o := range options {
		conn, err := clickhouse.Open(o)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open clickhouse: %w", err), s.Close())
		}
		s.conns = append(s.conns, conn)
		s.silent = o.Protocol == clickhouse.HTTP
	}
	return s, nil
}

// Close closes the connections to all servers.
func (s *servers) Close() error {
	var errs []error
	for _, conn := range s.conns {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
