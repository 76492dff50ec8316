// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// withUsers returns a server with the users of deploy/clickhouse, whose passwords are their names.
func withUsers(t *testing.T) *clickhousetest.Server {
	t.Helper()
	users, err := os.ReadFile("../deploy/clickhouse/users.xml")
	if err != nil {
		t.Fatal(err)
	}
	passwords := filepath.Join(t.TempDir(), "passwords.xml")
	text := "<clickhouse>"
	for _, user := range []string{"migrator", "writer", "reader"} {
		text += fmt.Sprintf("<%[1]s>%[2]x</%[1]s>", user, sha256.Sum256([]byte(user)))
	}
	if err := os.WriteFile(passwords, []byte(text+"</clickhouse>"), 0o600); err != nil {
		t.Fatal(err)
	}
	return clickhousetest.NewConfigured(t, map[string]string{
		"users.d/weir.xml": strings.ReplaceAll(string(users), "/credentials/clickhouse/passwords.xml", passwords),
	})
}

// ask sends a query over HTTP, since the test's engine ends at a failed login over the native protocol.
func ask(t *testing.T, server *clickhousetest.Server, user, password, query string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+server.HTTP+"/?database=weir", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestEachUserMayDoItsWorkAndNothingElse(t *testing.T) {
	t.Parallel()
	server := withUsers(t)
	dsn := url.URL{Scheme: "clickhouse", User: url.UserPassword("migrator", "migrator"), Host: server.Native}
	target := Target{DSN: dsn.String(), Database: "weir"}
	log := slog.New(slog.DiscardHandler)
	web := RollupTable{Name: "web_1m", Keys: []Column{{"sampler_address", "IPv6"}}, Measures: []Column{{"bytes", "SimpleAggregateFunction(sum, UInt64)"}}}
	err := errors.Join(
		target.Up(t.Context(), log),
		target.Keep(t.Context(), map[string]int{"flows": 7}, log),
		target.EnsureRollups(t.Context(), []RollupTable{web}, log),
	)
	if err != nil {
		t.Fatalf("migrator: %v", err)
	}
	if differences, err := target.Verify(t.Context()); err != nil || len(differences) > 0 {
		t.Errorf("migrator: verify: %v, %v", differences, err)
	}
	for _, tt := range []struct {
		user, query string
		may         bool
	}{
		{"writer", "INSERT INTO flows (time_received_ns, proto, bytes) VALUES (now64(9), 6, 100)", true},
		{"writer", "SELECT max(version) FROM schema_migrations", true},
		{"writer", "SELECT name FROM system.columns WHERE table = 'flows' AND database = 'weir'", true},
		{"writer", "ALTER TABLE flows DELETE WHERE 1", false},
		{"writer", "TRUNCATE TABLE flows", false},
		{"writer", "DROP TABLE flows", false},
		{"writer", "CREATE TABLE mine (a UInt8) ENGINE = Memory", false},
		{"reader", "SELECT proto_name, dst_service, src_ip FROM flows", true},
		{"reader", "SELECT * FROM traffic(from = now() - INTERVAL 1 HOUR, to = now(), step = 60)", true},
		{"reader", "SELECT * FROM nat_events", true},
		{"reader", "SELECT * FROM alerts", true},
		{"reader", "SELECT * FROM goflow.flows_raw", true},
		{"reader", "SELECT 1 SETTINGS max_execution_time = 10", true},
		{"reader", "SELECT 1 SETTINGS max_execution_time = 600", false},
		{"reader", "SELECT 1 SETTINGS max_memory_usage = 0", false},
		{"reader", "INSERT INTO flows (bytes) VALUES (1)", false},
		{"reader", "DROP VIEW alerts", false},
		{"reader", "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')", false},
		{"reader", "SELECT * FROM file('/etc/passwd', CSV, 'a String')", false},
		{"migrator", "CREATE USER other", false},
		{"migrator", "CREATE TABLE default.mine (a UInt8) ENGINE = Memory", false},
	} {
		status, answer := ask(t, server, tt.user, tt.user, tt.query)
		if (status == http.StatusOK) != tt.may {
			t.Errorf("%s: %s: status %d, allowed %v: %.200s", tt.user, tt.query, status, tt.may, answer)
		}
	}
	for _, user := range []string{"migrator", "writer", "reader"} {
		if status, answer := ask(t, server, user, "wrong", "SELECT 1"); status == http.StatusOK || !strings.Contains(answer, "AUTHENTICATION_FAILED") {
			t.Errorf("%s with a wrong password: status %d: %.200s", user, status, answer)
		}
	}
}
