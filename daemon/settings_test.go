// SPDX-License-Identifier: Apache-2.0

package daemon_test

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/weirflow/weir/daemon"
)

type ingestConfig struct {
	Listen   []string       `yaml:"listen" usage:"UDP addresses to receive on"`
	Allow    []netip.Prefix `yaml:"allow" usage:"exporters to accept"`
	MaxBytes int64          `yaml:"max_bytes" usage:"memory for datagrams"`
	Every    time.Duration  `yaml:"every" usage:"time between reports"`
	Share    float64        `yaml:"share" usage:"share of the memory"`
	Strict   bool           `yaml:"strict" usage:"refuse what is odd"`
	Workers  uint8          `yaml:"workers" usage:"parallel workers"`
	Token    string         `yaml:"token" usage:"password" secret:"true"`
	Limit    limitConfig    `yaml:"limit" usage:"what an exporter may send"`
	Rules    []ruleConfig   `yaml:"rules" usage:"first match wins"`
	Names    map[string]int `yaml:"names" usage:"names of interfaces"`
}

type limitConfig struct {
	Rate int `yaml:"rate" usage:"datagrams a second"`
}

type ruleConfig struct {
	Net      netip.Prefix `yaml:"net"`
	Drop     bool         `yaml:"drop"`
	Password string       `yaml:"password" secret:"true"`
}

func (c ingestConfig) Validate() error {
	var errs []error
	if len(c.Listen) == 0 {
		errs = append(errs, errors.New("listen: is empty, want e.g. \":2055\""))
	}
	if c.Limit.Rate < 0 {
		errs = append(errs, errors.New("limit.rate: is negative"))
	}
	return errors.Join(errs...)
}

type config struct {
	Ingest ingestConfig `yaml:"ingest" usage:"UDP to DATAGRAMS"`
}

func defaults() config {
	return config{Ingest: ingestConfig{
		Listen: []string{":2055", ":6343"}, MaxBytes: 8 << 20, Every: 5 * time.Minute, Share: 0.5, Workers: 2,
	}}
}

// load fills the defaults from a file's text, variables and flags.
func load(t *testing.T, file string, env map[string]string, flags ...string) (config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := defaults()
	s := daemon.NewSettings(&cfg)
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.Flags(fs)
	if err := fs.Parse(flags); err != nil {
		t.Fatal(err)
	}
	err := s.Load(daemon.Sources{File: name, Strict: true, Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }})
	return cfg, err
}

func TestSourcesOverrideEachOther(t *testing.T) {
	t.Parallel()
	const file = "ingest: {workers: 3, every: 1m, max_bytes: 1MiB}"
	env := map[string]string{"WEIR_INGEST_WORKERS": "4", "WEIR_INGEST_EVERY": "2m"}
	got, err := load(t, file, env, "--ingest.workers=5")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Ingest.MaxBytes = 1 << 20      // file over default
	want.Ingest.Every = 2 * time.Minute // environment over file
	want.Ingest.Workers = 5             // flag over environment
	if diff := cmp.Diff(want, got, prefixes); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestEveryTypeFromFile(t *testing.T) {
	t.Parallel()
	got, err := load(t, `
ingest:
  listen: [":1", ":2"]
  allow: [10.0.0.0/8, "2001:db8::/32"]
  max_bytes: 1048576
  every: 1h30m
  share: 0.25
  strict: true
  workers: 7
  token: "a, b"
  limit:
    rate: 12
  rules:
    - {net: 10.0.0.0/8, drop: true}
    - {net: 0.0.0.0/0}
  names: {eth0: 1, eth1: 2}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config{Ingest: ingestConfig{
		Listen:   []string{":1", ":2"},
		Allow:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
		MaxBytes: 1 << 20, Every: 90 * time.Minute, Share: 0.25, Strict: true, Workers: 7, Token: "a, b",
		Limit: limitConfig{Rate: 12},
		Rules: []ruleConfig{{netip.MustParsePrefix("10.0.0.0/8"), true, ""}, {netip.MustParsePrefix("0.0.0.0/0"), false, ""}},
		Names: map[string]int{"eth0": 1, "eth1": 2},
	}}
	if diff := cmp.Diff(want, got, prefixes); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestTextFromFlags(t *testing.T) {
	t.Parallel()
	got, err := load(t, "", nil, "--ingest.listen=:1, :2", "--ingest.allow=10.0.0.0/8,192.0.2.0/24",
		"--ingest.max_bytes=3GiB", "--ingest.strict", "--ingest.limit.rate=9")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Ingest.Listen = []string{":1", ":2"}
	want.Ingest.Allow = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")}
	want.Ingest.MaxBytes = 3 << 30
	want.Ingest.Strict = true
	want.Ingest.Limit.Rate = 9
	if diff := cmp.Diff(want, got, prefixes); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		env        map[string]string
		flags      []string
		want       []string // what the problems begin with, after the file's folder
	}{
		{name: "an unknown key in a section", file: "ingest:\n  lisen: []\n", want: []string{"weir.yaml:2: ingest.lisen: unknown key, known here: listen, "}},
		{name: "an unknown section", file: "ingset: {}\n", want: []string{"weir.yaml:1: ingset: unknown key, known here: ingest"}},
		{name: "an unknown key in a list of structs", file: "ingest:\n  rules:\n    - nett: 1.2.3.0/24\n", want: []string{"weir.yaml:3: ingest.rules[0].nett: unknown key"}},
		{name: "a key that is there twice", file: "ingest:\n  workers: 1\n  workers: 2\n", want: []string{"weir.yaml:3: ingest.workers: is there twice"}},
		{name: "a bad prefix in the file", file: "ingest:\n  allow: [10.0.0.0/33]\n", want: []string{`weir.yaml:2: ingest.allow[0]: is "10.0.0.0/33", want "10.0.0.0/8"`}},
		{name: "a bad prefix in the environment", env: map[string]string{"WEIR_INGEST_ALLOW": "10.0.0.0/8,x"}, want: []string{`WEIR_INGEST_ALLOW: ingest.allow: is "x", want "10.0.0.0/8"`}},
		{name: "a duration without a unit", flags: []string{"--ingest.every=5"}, want: []string{`--ingest.every: is "5", want "30s" or "5m"`}},
		{name: "a number that does not fit", flags: []string{"--ingest.workers=256"}, want: []string{`--ingest.workers: is "256", want a whole number that fits in 8 bits`}},
		{name: "a size that does not fit", flags: []string{"--ingest.max_bytes=9999999TiB"}, want: []string{`--ingest.max_bytes: is "9999999TiB", want a size`}},
		{name: "a list where a value belongs", file: "ingest: {workers: [1]}", want: []string{"weir.yaml:1: ingest.workers: want a single value"}},
		{name: "a value where a section belongs", file: "ingest: 3", want: []string{"weir.yaml:1: ingest: want keys and values"}},
		{name: "a secret's variable that is not set", flags: []string{"--ingest.token=${NO_SUCH}"}, want: []string{"ingest.token: the environment has no NO_SUCH"}},
		{name: "a variable of a secret in a list", file: "ingest: {rules: [{password: '${NO_SUCH}'}]}", want: []string{"ingest.rules[0].password: the environment has no NO_SUCH"}},
		{name: "a secret's file that is not there", flags: []string{"--ingest.token=${file:/no/such}"}, want: []string{"ingest.token: open /no/such: no such file"}},
		{name: "what Validate says, under its full key", flags: []string{"--ingest.listen=", "--ingest.limit.rate=-1"}, want: []string{`ingest.listen: is empty, want e.g. ":2055"`, "ingest.limit.rate: is negative"}},
		{name: "all at once", file: "ingest: {every: x, strict: maybe}", want: []string{"weir.yaml:1: ingest.every: is", "weir.yaml:1: ingest.strict: is"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.file, tt.env, tt.flags...)
			problems, ok := errors.AsType[*daemon.ConfigError](err)
			if !ok {
				t.Fatalf("error is %v, want a ConfigError", err)
			}
			if len(problems.Problems) != len(tt.want) {
				t.Fatalf("problems are %q, want %d", problems.Problems, len(tt.want))
			}
			for i, want := range tt.want {
				got := problems.Problems[i]
				if i := strings.Index(got, "weir.yaml:"); i > 0 {
					got = got[i:]
				}
				if !strings.HasPrefix(got, want) {
					t.Errorf("problem is %q, want %q", got, want)
				}
			}
			if daemon.ExitCode(err) != 2 {
				t.Errorf("exit code is %d, want 2", daemon.ExitCode(err))
			}
		})
	}
}

func TestSingleServiceSkipsSectionsOfOthers(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "weir.yaml")
	if err := os.WriteFile(name, []byte("decode: {workers: 9}\ningest: {workers: 4}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := defaults()
	if err := daemon.NewSettings(&cfg).Load(daemon.Sources{File: name}); err != nil {
		t.Fatal(err)
	}
	if cfg.Ingest.Workers != 4 {
		t.Errorf("workers is %d, want 4", cfg.Ingest.Workers)
	}
}

func TestSecretTakesVariableAndFileAndStaysHidden(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("of file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const text = "ingest: {token: 'x-${PASS}-y ${file:FILE}', rules: [{}, {password: 'z-${PASS} ${file:FILE}'}]}"
	cfg, err := load(t, strings.ReplaceAll(text, "FILE", file), map[string]string{"PASS": "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Ingest.Token != "x-hunter2-y of file" || cfg.Ingest.Rules[1].Password != "z-hunter2 of file" {
		t.Errorf("token is %q, the password in the list %q", cfg.Ingest.Token, cfg.Ingest.Rules[1].Password)
	}
	var out bytes.Buffer
	s := daemon.NewSettings(&cfg)
	if err := s.WriteYAML(&out); err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.Flags(fs)
	if text := out.String() + fs.FlagUsages(); strings.Contains(text, "hunter2") {
		t.Errorf("the secret is shown:\n%s", text)
	}
}

func TestWrittenFileReadsBack(t *testing.T) {
	t.Parallel()
	want, err := load(t, "ingest: {rules: [{net: 10.0.0.0/8}], names: {a: 1}, allow: ['::/0'], listen: []}", nil, "--ingest.listen=[::1]:5")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := daemon.NewSettings(&want).WriteYAML(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "# UDP addresses to receive on\n") {
		t.Errorf("no usage in:\n%s", &out)
	}
	got, err := load(t, out.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, prefixes); diff != "" {
		t.Errorf("read back (-want +got):\n%s\n%s", diff, &out)
	}
}
