// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

func configPath(dir string) string { return filepath.Join(dir, "config.xml") }

// prepare writes the configuration into dir. No system log tables are named, so the
// server keeps none: they would cost more than a quiet pipeline does. Caches and merges
// get what a laptop can spare.
func prepare(dir string, native, http netip.AddrPort) error {
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o750); err != nil {
		return err
	}
	// The folder is text of an operator, and text in XML.
	var escaped strings.Builder
	if err := xml.EscapeText(&escaped, []byte(dir)); err != nil {
		return err
	}
	config := fmt.Sprintf(configXML, escaped.String(), native.Addr(), native.Port(), http.Port())
	if err := os.WriteFile(configPath(dir), []byte(config), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "users.xml"), []byte(usersXML), 0o600)
}

const configXML = `<!-- Written at each start. -->
<clickhouse>
  <logger>
    <level>warning</level>
    <log>%[1]s/log/clickhouse.log</log>
    <size>10M</size>
    <count>2</count>
  </logger>
  <path>%[1]s/</path>
  <tmp_path>%[1]s/tmp/</tmp_path>
  <user_files_path>%[1]s/user_files/</user_files_path>
  <format_schema_path>%[1]s/format_schemas/</format_schema_path>
  <users_config>%[1]s/users.xml</users_config>
  <user_directories><users_xml><path>%[1]s/users.xml</path></users_xml></user_directories>
  <listen_host>%[2]s</listen_host>
  <tcp_port>%[3]d</tcp_port>
  <http_port>%[4]d</http_port>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>268435456</mark_cache_size>
  <primary_index_cache_size>268435456</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <max_concurrent_queries>100</max_concurrent_queries>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <asynchronous_metrics_update_period_s>30</asynchronous_metrics_update_period_s>
  <mlock_executable>false</mlock_executable>
</clickhouse>
`

// The grants leave out everything that reaches outside the server (FILE, URL,
// REMOTE, ...): with no password, whoever is on the machine may ask.
const usersXML = `<!-- Written at each start. -->
<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <no_password/>
      <networks><ip>127.0.0.0/8</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, CREATE TEMPORARY TABLE, CREATE FUNCTION, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, SYSTEM, INTROSPECTION, CHECK, dictGet ON *.*</query>
        <query>GRANT TABLE ENGINE ON MergeTree, TABLE ENGINE ON SummingMergeTree, TABLE ENGINE ON AggregatingMergeTree, TABLE ENGINE ON ReplacingMergeTree, TABLE ENGINE ON Memory, TABLE ENGINE ON Null</query>
      </grants>
    </default>
  </users>
</clickhouse>
`
