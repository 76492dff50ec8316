// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// contents reads all files of dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o400 {
			t.Errorf("%s has mode %v, want 0400", path, info.Mode())
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func nothingGiven(string) (string, error) { return "", nil }

func TestCredentialsAreMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := makeCredentials(dir, false, nothingGiven, io.Discard); err != nil {
		t.Fatal(err)
	}
	first := contents(t, dir)
	if err := makeCredentials(dir, false, nothingGiven, io.Discard); err != nil {
		t.Fatal(err)
	}
	if second := contents(t, dir); !maps.Equal(first, second) {
		t.Errorf("the second time changes them:\n%v\n%v", first, second)
	}
	if err := os.Remove(filepath.Join(dir, "complete")); err != nil {
		t.Fatal(err)
	}
	if err := makeCredentials(dir, false, nothingGiven, io.Discard); err != nil {
		t.Fatal(err)
	}
	if again := contents(t, dir); again["insert/nats"] == first["insert/nats"] {
		t.Error("what is not complete is not made anew")
	}
}

func TestCredentialsAreRandomAndTheServersKnowThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := makeCredentials(dir, false, nothingGiven, io.Discard); err != nil {
		t.Fatal(err)
	}
	all := contents(t, dir)
	seen := map[string]string{}
	for _, a := range accounts() {
		if a.nats != "" {
			password := all[a.name+"/nats"]
			if other := seen[password]; other != "" || len(password) < 26 {
				t.Errorf("the password of %s is %q, and of %q too", a.name, password, other)
			}
			seen[password] = a.name
			if !strings.Contains(all["nats/passwords.conf"], "password_"+a.nats+`: "`+password+`"`) {
				t.Errorf("NATS does not know the password of %s", a.name)
			}
		}
		if a.clickhouse != "" {
			sum := sha256.Sum256([]byte(all[a.name+"/clickhouse"]))
			want := "<" + a.clickhouse + ">" + hex.EncodeToString(sum[:]) + "</" + a.clickhouse + ">"
			if !strings.Contains(all["clickhouse/passwords.xml"], want) {
				t.Errorf("ClickHouse does not know the password of %s", a.name)
			}
		}
	}
}

func TestCredentialsBelongToTheUsersOfTheContainers(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/compose/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	name := ""
	service, user := regexp.MustCompile(`^  ([a-z]+):(?: &[a-z]+)?$`), regexp.MustCompile(`^    user: "(\d+):`)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := service.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if m := user.FindStringSubmatch(line); m != nil {
			got[name], _ = strconv.Atoi(m[1])
		}
	}
	want := map[string]int{"nats": natsUID, "clickhouse": clickhouseUID}
	for _, a := range accounts() {
		want[a.name] = a.uid
	}
	delete(want, "reader") // for people: no container
	want["weir"] = want["operator"]
	delete(want, "operator")
	for name, uid := range want {
		if got[name] != uid {
			t.Errorf("%s runs as %d and its files belong to %d", name, got[name], uid)
		}
	}
}

// TestGivenCredentialsWin over random ones and over those that are there.
func TestGivenCredentialsWin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	given := map[string]string{}
	give := func(secret string) (string, error) { return given[secret], nil }
	for _, first := range []bool{true, false} {
		before := contents(t, dir)
		suffix := strconv.FormatBool(first)
		given["insert/nats"], given["clickhouse/reader"], given["grafana/admin"] = "given-to-insert-"+suffix, "given-to-readers-"+suffix, "given-to-admin-"+suffix
		if err := makeCredentials(dir, false, give, io.Discard); err != nil {
			t.Fatal(err)
		}
		all := contents(t, dir)
		for file, want := range map[string]string{
			"insert/nats": given["insert/nats"], "reader/clickhouse": given["clickhouse/reader"], "grafana/clickhouse": given["clickhouse/reader"],
			"grafana/admin": given["grafana/admin"],
		} {
			if all[file] != want {
				t.Errorf("%s is %q, want %q", file, all[file], want)
			}
		}
		sum := sha256.Sum256([]byte(given["clickhouse/reader"]))
		if !strings.Contains(all["nats/passwords.conf"], given["insert/nats"]) || !strings.Contains(all["clickhouse/passwords.xml"], hex.EncodeToString(sum[:])) {
			t.Error("the servers do not know what was given")
		}
		if !first && (all["decode/nats"] != before["decode/nats"] || all["operator/nats"] != before["operator/nats"]) {
			t.Error("what was not given has changed")
		}
		if _, ok := all["operator/grafana-admin"]; ok {
			t.Error("a given password is kept to be shown")
		}
	}
}

func TestGrafanasPasswordIsShownOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := makeCredentials(dir, false, nothingGiven, io.Discard); err != nil {
		t.Fatal(err)
	}
	admin := contents(t, dir)["grafana/admin"]
	show := func() string {
		var out bytes.Buffer
		root := newRoot()
		root.SetArgs([]string{"credentials", "--dir", dir})
		root.SetOut(&out)
		err := root.Execute()
		return fmt.Sprint(out.String(), err)
	}
	if out := show(); !strings.Contains(out, "user admin, password "+admin) {
		t.Errorf("shown: %s", out)
	}
	if err := makeCredentials(dir, false, nothingGiven, io.Discard); err != nil {
		t.Fatal(err)
	}
	if out := show(); strings.Contains(out, admin) || !strings.Contains(out, "was shown before") {
		t.Errorf("shown again: %s", out)
	}
}

func TestWeakCredentialsAreRefused(t *testing.T) {
	for name, value := range map[string]string{"short": "secret", "for a URL": "with@signs/and:more", "blank": "twelve chars or more"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("WEIR_CREDENTIALS_INSERT_NATS", value)
			_, err := givenSecret("insert/nats")
			if err == nil || !strings.Contains(err.Error(), "WEIR_CREDENTIALS_INSERT_NATS: want at least 12") {
				t.Errorf("%q: error %v", value, err)
			}
		})
	}
}
