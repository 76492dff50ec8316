// SPDX-License-Identifier: Apache-2.0

package migrations_test

import (
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/migrations"
)

func TestNamesAndLabelsCanBeAskedFor(t *testing.T) {
	t.Parallel()
	s := clickhousetest.New(t)
	database := s.Database(t)
	if err := migrations.Up(t.Context(), s.DSN(database), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := s.Open(t, database)
	err := conn.Exec(t.Context(), `INSERT INTO flows (time_received_ns, proto, dst_port, etype, src_net_name, src_net_context) VALUES
		(now64(9), 6, 443, 2048, 'web-servers', '{"application":"web","tier":"frontend"}'), (now64(9), 17, 53, 34525, '', '')`)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `SELECT p.name, s.name, e.name, src_context['tier'], src_context FROM flows
		LEFT JOIN protocol_names AS p ON p.number = flows.proto
		LEFT JOIN service_names AS s ON s.proto = flows.proto AND s.port = dst_port
		LEFT JOIN ethertype_names AS e ON e.number = etype
		ORDER BY flows.proto`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	type answer struct {
		Protocol, Service, EtherType, Tier string
		Context                            map[string]string
	}
	var got []answer
	for rows.Next() {
		var a answer
		if err := rows.Scan(&a.Protocol, &a.Service, &a.EtherType, &a.Tier, &a.Context); err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	want := []answer{
		{"TCP", "https", "IPv4", "frontend", map[string]string{"application": "web", "tier": "frontend"}},
		{"UDP", "domain", "IPv6", "", map[string]string{}},
	}
	if diff := cmp.Diff(want, got); diff != "" || rows.Err() != nil {
		t.Errorf("%v; -want +got:\n%s", rows.Err(), diff)
	}
}
