// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// account is a service that logs in somewhere. Its files belong to the user that it
// runs as, and nobody else can read them.
type account struct {
	name string
	uid  int
	// nats and clickhouse are its users there; empty means none.
	nats, clickhouse string
}

// Users of the containers of deploy/compose/compose.yaml.
const (
	natsUID       = 10001
	clickhouseUID = 101 // of its image, as Grafana's
	grafanaUID    = 472
)

func accounts() []account {
	return []account{
		{name: "streams", uid: 10002, nats: "streams"},
		{name: "migrate", uid: 10003, clickhouse: "migrator"},
		{name: "ingest", uid: 10004, nats: "ingest"},
		{name: "decode", uid: 10005, nats: "decode"},
		{name: "enrich", uid: 10006, nats: "enrich"},
		{name: "aggregate", uid: 10007, nats: "aggregate"},
		{name: "insert", uid: 10008, nats: "insert", clickhouse: "writer"},
		{name: "reader", uid: 10009, clickhouse: "reader"},
		{name: "grafana", uid: grafanaUID, clickhouse: "reader"},
	}
}

func newCredentials() *cobra.Command {
	var dir string
	var chown bool
	cmd := &cobra.Command{
		Use:   "credentials --dir DIR",
		Short: "Make random passwords for services that run on their own",
		Long: `credentials makes, once, random passwords of all users of NATS and ClickHouse, as files for the
servers and for each service. It changes nothing where it has made them before: delete the folder
to get others. deploy/compose/compose.yaml uses it.`,
		Example: "  weir credentials --dir /credentials",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return misuse("--dir is missing: name the folder for the passwords")
			}
			return makeCredentials(dir, chown, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder for the passwords")
	cmd.Flags().BoolVar(&chown, "chown", false, "give each file to the user that its service runs as in deploy/compose/compose.yaml; needs root")
	return cmd
}

// makeCredentials fills dir, unless it is complete. What a start that was cut short has
// left is made anew: no server has read it.
func makeCredentials(dir string, chown bool, out io.Writer) error {
	done := filepath.Join(dir, "complete")
	if _, err := os.Stat(done); err == nil {
		fmt.Fprintln(out, "the passwords are there")
		return nil
	}
	f := folder{dir: dir, chown: chown}
	var nats strings.Builder
	users := map[string]string{} // of ClickHouse
	for _, a := range accounts() {
		if a.nats != "" {
			password := rand.Text()
			fmt.Fprintf(&nats, "%s: %q\n", a.nats, password)
			f.write(a.uid, a.name, "nats", password)
		}
		if a.clickhouse != "" {
			if users[a.clickhouse] == "" {
				users[a.clickhouse] = rand.Text()
			}
			f.write(a.uid, a.name, "clickhouse", users[a.clickhouse])
		}
	}
	f.write(grafanaUID, "grafana", "admin", rand.Text())
	f.write(natsUID, "nats", "passwords.conf", nats.String())
	f.write(clickhouseUID, "clickhouse", "passwords.xml", clickhousePasswords(users))
	f.write(os.Getuid(), "", "complete", "")
	if f.err == nil {
		fmt.Fprintln(out, "the passwords are made")
	}
	return f.err
}

// clickhousePasswords is the file that include_from of users.d names.
func clickhousePasswords(users map[string]string) string {
	var b strings.Builder
	b.WriteString("<clickhouse>\n")
	for _, user := range []string{"migrator", "writer", "reader"} {
		sum := sha256.Sum256([]byte(users[user]))
		fmt.Fprintf(&b, "  <%s>%s</%[1]s>\n", user, hex.EncodeToString(sum[:]))
	}
	b.WriteString("</clickhouse>\n")
	return b.String()
}

// folder writes files until one fails.
type folder struct {
	dir   string
	chown bool
	err   error
}

// write makes a file of the service name that only the user uid can read. The folders
// stay ours: others pass through them.
func (f *folder) write(uid int, name, file, text string) {
	if f.err != nil {
		return
	}
	path := filepath.Join(f.dir, name, file)
	if f.err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o711), os.RemoveAll(path)); f.err != nil {
		return
	}
	f.err = os.WriteFile(path, []byte(text), 0o400)
	if f.err == nil && f.chown {
		f.err = os.Chown(path, uid, uid)
	}
}
