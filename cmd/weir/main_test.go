// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"up", "migrate", "streams", "check", "config", "decode", "explain", "clickhouse", "version"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			all, err := weir(t, "--help").Output()
			if err != nil || !bytes.Contains(all, []byte("\n  "+command+" ")) {
				t.Errorf("weir --help: %v, does not list %s:\n%s", err, command, all)
			}
			out, err := weir(t, command, "--help").CombinedOutput()
			if err != nil || len(out) < 100 {
				t.Errorf("weir %s --help: %v\n%s", command, err, out)
			}
		})
	}
}

func TestWrongCommandLinesExitWith2(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		file string // of weir.yaml
		want string
	}{
		{name: "an unknown command", args: []string{"upp"}, want: `weir: unknown command "upp" (weir --help lists the commands)`},
		{name: "an unknown flag", args: []string{"up", "--dta=x"}, want: "weir: unknown flag: --dta (weir up --help lists the flags)"},
		{name: "an argument", args: []string{"check", "weir.yaml"}, want: `weir: argument "weir.yaml": weir check takes flags only`},
		{name: "a file that is not there", args: []string{"check", "--config=no.yaml"}, want: "weir: config: read no.yaml: no such file or directory"},
		{name: "an unknown section", args: []string{"check", "--config=weir.yaml"}, file: "ingset: {}", want: "weir: weir.yaml:1: ingset: unknown key"},
		{name: "an unknown key", args: []string{"up", "--config=weir.yaml"}, file: "ingest:\n  lisen: []", want: "weir: weir.yaml:2: ingest.lisen: unknown key"},
		{name: "a network that is none", args: []string{"up", "--ingest.allow=10.0.0.0/40"}, want: `weir: --ingest.allow: is "10.0.0.0/40", want "10.0.0.0/8"`},
		{name: "an address that is none", args: []string{"up", "--nats_server.listen=4222"}, want: `weir: nats_server.listen: is "4222", want e.g. "127.0.0.1:4222"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := weir(t, tt.args...)
			if err := os.WriteFile(filepath.Join(cmd.Dir, "weir.yaml"), []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.HasPrefix(string(out), tt.want) {
				t.Errorf("exit code is %d, want 2; output, want %q:\n%s", code, tt.want, out)
			}
		})
	}
}

// TestExampleHasEveryDefault: weir.example.yaml is what weir config writes.
func TestExampleHasEveryDefault(t *testing.T) {
	t.Parallel()
	const example = "../../weir.example.yaml"
	want, err := weir(t, "config").Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("weir.example.yaml is not what weir config writes: run make generate")
	}
	path, err := filepath.Abs(example)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := weir(t, "check", "--config", path).CombinedOutput(); err != nil {
		t.Errorf("weir check: %v\n%s", err, out)
	}
	again, err := weir(t, "config", "--config", path).Output()
	if err != nil || !bytes.Equal(again, want) {
		t.Errorf("what weir config writes does not read back as the defaults: %v\n%s", err, again)
	}
}
