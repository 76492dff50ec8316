// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

// withoutClickHouse is a stack that is told to use a ClickHouse that is not there.
func withoutClickHouse(t *testing.T, args ...string) *stack {
	t.Helper()
	s := newStack(t, append([]string{"--clickhouse.dsn", "clickhouse://" + clickhousetest.FreeAddress(t)}, args...)...)
	s.endWithTest()
	s.run()
	return s
}

// says waits for a text in the output.
func (s *stack) says(text string) {
	s.t.Helper()
	s.until("the output "+text, func() bool { return strings.Contains(s.log.tail(1<<20), text) })
}

func TestUpShowsWhereItListensAndHowItGoes(t *testing.T) {
	t.Parallel()
	s := up(t, "--status_interval", "200ms")
	for _, where := range []string{s.flows, s.http + "/play", s.health + "/metrics", s.nats} {
		s.says(where)
	}
	s.says("lag decode 0 enrich 0 aggregate 0 insert 0")
	for _, service := range []string{"ingest", "decode", "enrich", "aggregate", "insert"} {
		if ready, err := s.fetch("GET", "http://"+s.health+"/readyz", ""); err != nil || !strings.Contains(ready+"\n", service+"/nats: ready\n") {
			t.Errorf("/readyz does not say that %s is ready: %v\n%s", service, err, ready)
		}
	}
	if code := s.interrupt(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
	if s.get("http://" + s.http + "/ping") {
		t.Error("ClickHouse is still there")
	}
}

func TestUpGoesOnWithoutClickHouse(t *testing.T) {
	t.Parallel()
	s := withoutClickHouse(t)
	s.until("ingest to be ready", func() bool { return s.get("http://" + s.health + "/readyz") })
	s.says("clickhouse does not answer")
	if code := s.interrupt(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

func TestUpRefusesAnotherPartitionCount(t *testing.T) {
	t.Parallel()
	s := withoutClickHouse(t, "--nats.partitions", "4")
	s.says("weir up\n")
	s.interrupt()
	s.args = append(s.args, "--nats.partitions", "8")
	s.run()
	if code := s.exit(); code != 2 {
		t.Errorf("exit code is %d, want 2", code)
	}
	s.says("was made with 4 partitions and the setting is 8")
}

func TestUpTakesItsDataFolderForItself(t *testing.T) {
	t.Parallel()
	s := withoutClickHouse(t)
	s.says("weir up\n")
	second := weir(t, append(s.args, "--http.listen", "")...)
	out, _ := second.CombinedOutput()
	if second.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "another weir uses") {
		t.Errorf("second weir up: %v\n%s", second.ProcessState, out)
	}
}

func TestPortsThatAreTakenAreNamedWithTheirSetting(t *testing.T) {
	t.Parallel()
	tcp, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	udp, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	for setting, address := range map[string]string{
		"http.listen":              tcp.Addr().String(),
		"nats_server.listen":       tcp.Addr().String(),
		"clickhouse.native_listen": tcp.Addr().String(),
		"ingest.listen":            udp.LocalAddr().String(),
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, "--"+setting, address)
			s.endWithTest()
			s.run()
			if code := s.exit(); code != 1 {
				t.Errorf("exit code is %d, want 1", code)
			}
			lines := strings.Split(strings.TrimSpace(s.log.tail(1<<20)), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "weir: ") || !strings.Contains(last, setting) || !strings.Contains(last, address) {
				t.Errorf("the last line has not both %s and %s: %s", setting, address, last)
			}
		})
	}
}

// weir is the program with args, not started yet, in an empty folder.
func weir(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = t.TempDir()
	return cmd
}
