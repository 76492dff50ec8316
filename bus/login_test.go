// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/weirflow/weir/bus"
)

// stack starts a server with the configuration of deploy/compose and returns its address.
// Each user's password is its name.
func stack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("../deploy/compose/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	var passwords strings.Builder
	for _, user := range []string{"streams", "operator", bus.Ingest, bus.Decode, bus.Enrich, bus.Aggregate, bus.Insert} {
		passwords.WriteString("password_" + user + `: "` + user + "\"\n")
	}
	conf := filepath.Join(dir, "etc", "nats", "nats.conf")
	for path, text := range map[string]string{
		conf: string(text), filepath.Join(dir, "credentials", "nats", "passwords.conf"): passwords.String(),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	opts, err := server.ProcessConfigFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	opts.Host, opts.Port, opts.HTTPPort, opts.StoreDir = "127.0.0.1", server.RANDOM_PORT, 0, filepath.Join(dir, "data")
	opts.NoSigs, opts.NoLog = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS server is not ready")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL()
}

// as returns the settings of a user of stack.
func as(url, user string) bus.Config {
	cfg := bus.DefaultConfig()
	cfg.URL, cfg.User, cfg.Password, cfg.MaxBytes = url, user, user, 1<<30
	return cfg
}

func login(t *testing.T, cfg bus.Config, stage string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), cfg, stage, discard(), registry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestPasswordIsReadAtEachConnect(t *testing.T) {
	t.Parallel()
	cfg := as(stack(t), bus.Decode)
	cfg.Password, cfg.PasswordFile = "", filepath.Join(t.TempDir(), "password")
	b := login(t, cfg, bus.Decode)
	if b.Ready() == nil {
		t.Fatal("connected without a password")
	}
	if err := os.WriteFile(cfg.PasswordFile, []byte(bus.Decode+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client{t: t}.until("connect with the password", func() bool { return b.Ready() == nil })
}

func TestLoginIsValidated(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*bus.Config){
		"":               func(*bus.Config) {},
		"user:":          func(c *bus.Config) { c.User = "" },
		"password:":      func(c *bus.Config) { c.Password = "" },
		"password_file:": func(c *bus.Config) { c.PasswordFile = "/x" },
	} {
		cfg := as("nats://127.0.0.1:4222", "u")
		change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Validate() = %v, want %q", err, want)
		}
	}
}
