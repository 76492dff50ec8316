// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"fmt"
	"regexp"
	"strings"
)

// On a cluster a table t is a Replicated table t_local on every server, and t is Distributed over
// these; what is written to t goes to the shard of its exporter. Tables of names, and which migrations
// were applied, are the same on all servers. The files are those of one server, and so are their checksums.

var (
	comments  = regexp.MustCompile(`(?m)^\s*--.*\n?`)
	statement = regexp.MustCompile(`^(CREATE (?:DATABASE|TABLE|VIEW|DICTIONARY) IF NOT EXISTS|CREATE OR REPLACE (?:VIEW|DICTIONARY)|ALTER TABLE|DROP (?:TABLE|VIEW|DICTIONARY) IF EXISTS) ([\w.` + "`" + `]+)`)
	engine    = regexp.MustCompile(`ENGINE = (\w*MergeTree)(\(?)`)
	settings  = regexp.MustCompile(`SETTINGS\s+`)
)

// split returns the statements of a file.
func split(sql string) []string {
	var all []string
	for s := range strings.SplitSeq(sql, ";\n") {
		if strings.TrimSpace(comments.ReplaceAllString(s, "")) != "" {
			all = append(all, s)
		}
	}
	return all
}

// statements returns the statements of a file as they run on the target.
func (t Target) statements(sql string) ([]string, error) {
	if t.Cluster == "" {
		return split(sql), nil
	}
	var all []string
	for _, s := range split(sql) {
		rendered, err := t.onCluster(strings.TrimSpace(comments.ReplaceAllString(s, "")))
		if err != nil {
			return nil, err
		}
		all = append(all, rendered...)
	}
	return all, nil
}

// onCluster returns what a statement is on a cluster.
func (t Target) onCluster(s string) ([]string, error) {
	if strings.HasPrefix(s, "INSERT INTO ") {
		return []string{s}, nil // into a table that is the same everywhere
	}
	m := statement.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("statement for a cluster: %.60q is of a form that is not known", s)
	}
	head, name, rest := m[1], m[2], s[len(m[0]):]
	on := " ON CLUSTER " + quote(t.Cluster)
	switch {
	case !strings.Contains(head, "TABLE"):
		return []string{head + " " + name + on + rest}, nil
	case isEverywhere(name):
		path := fmt.Sprintf("ENGINE = Replicated$1('/clickhouse/tables/%s/%s', '{shard}-{replica}')", t.Database, name)
		return []string{head + " " + name + on + engine.ReplaceAllString(rest, path)}, nil
	}
	rest = engine.ReplaceAllString(rest, "ENGINE = Replicated$1$2")
	if strings.HasPrefix(head, "CREATE") {
		rest = settings.ReplaceAllString(rest, "SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800, ")
	}
	return []string{
		head + " " + name + "_local" + on + rest,
		// It holds nothing, so it is made anew with the columns that there are now.
		fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS %s_local ENGINE = Distributed(%s, %s, %s_local, %s)",
			name, on, name, quote(t.Cluster), quote(t.Database), name, sharding(name, rest)),
	}, nil
}

// isEverywhere reports whether every server of a cluster has all rows of a table.
func isEverywhere(table string) bool {
	return table == migrationsTable || strings.HasSuffix(table, "_names")
}

// shardBy is the column by which tables are spread that have none of that name for the exporter.
var shardBy = map[string]string{
	"exporter_health": "exporter",
	"hosts_5m":        "window_start", "receivers_5m": "window_start", "services_5m": "window_start",
}

// sharding is the expression that sends a row to its shard. It is made of the row alone, so that an
// insert that is repeated sends each shard what it has had.
func sharding(table, definition string) string {
	by := shardBy[table]
	switch {
	case by != "":
	case strings.Contains(definition, "ENGINE = ") && !strings.Contains(definition, "sampler_address"):
		by = "window_start" // until it gets an exporter, if ever
	default:
		by = "sampler_address"
	}
	return "cityHash64(" + by + ")"
}
