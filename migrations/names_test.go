// SPDX-License-Identifier: Apache-2.0

package migrations_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

// TestSystemsNumbersHaveNames: what Debian's netbase names in /etc has a name, whichever.
func TestSystemsNumbersHaveNames(t *testing.T) {
	t.Parallel()
	s := clickhousetest.New(t)
	database := s.Database(t)
	if err := migrations.Up(t.Context(), s.DSN(database), database, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	conn := s.Open(t, database)
	ask := func(query string) string {
		t.Helper()
		var answer string
		if err := conn.QueryRow(t.Context(), query).Scan(&answer); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return answer
	}
	for _, tt := range []struct {
		file, number string // what an element of a tuple looks like
		dictionary   string
		least        int
	}{
		{"services", `(?m)^[^#\s]+\s+(\d+)/(tcp|udp|sctp)`, "services", 300},
		{"protocols", `(?m)^[^#\s]+\s+(\d+)\s`, "protocols", 50},
		{"ethertypes", `(?m)^[^#\s]+\s+([0-9A-Fa-f]{4})\b`, "ethertypes", 30},
	} {
		text, err := os.ReadFile(filepath.Join("/etc", tt.file))
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%v (Debian: netbase)", err)
			}
			t.Skip(err)
		}
		var keys []string
		for _, m := range regexp.MustCompile(tt.number).FindAllStringSubmatch(string(text), -1) {
			key := m[1]
			switch {
			case key == "262": // Linux's MPTCP is none of IP
				continue
			case len(m) > 2:
				key = fmt.Sprintf("(%d, %s)", map[string]int{"tcp": 6, "udp": 17, "sctp": 132}[m[2]], m[1])
			case tt.file == "ethertypes":
				key = "0x" + m[1]
			}
			keys = append(keys, key)
		}
		if len(keys) < tt.least {
			t.Errorf("%s has only %d numbers", tt.file, len(keys))
		}
		got := ask(fmt.Sprintf("SELECT toString(arrayFilter(k -> NOT dictHas('%s', k), [%s]))", tt.dictionary, strings.Join(keys, ", ")))
		if got != "[]" {
			t.Errorf("no names of %s: %s", tt.file, got)
		}
	}
	// The registry of 2024-08 has 5879 names of TCP, 5492 of UDP and 87 of SCTP, and three ranges.
	if got := ask("SELECT toString(groupArray((proto, n >= 5879, n >= 5492, n >= 87))) FROM (SELECT proto, count() AS n FROM service_names GROUP BY proto ORDER BY proto)"); got !=
		"[(6,1,1,1),(17,0,1,1),(33,0,0,0),(132,0,0,1)]" {
		t.Errorf("names of services by transport: %s", got)
	}
	if got := ask("SELECT toString((SELECT count() - uniqExact(proto, port) FROM service_names) + (SELECT count() - uniqExact(number) FROM ethertype_names) + (SELECT count() - uniqExact(number) FROM protocol_names))"); got != "0" {
		t.Errorf("%s numbers have two names", got)
	}
}
