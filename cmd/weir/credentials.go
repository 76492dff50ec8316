// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	operatorUID   = 10010
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
		{name: "operator", uid: operatorUID, nats: "operator", clickhouse: "migrator"}, // of the service weir
		{name: "grafana", uid: grafanaUID, clickhouse: "reader"},
	}
}

func newCredentials() *cobra.Command {
	dir := cmp.Or(os.Getenv("WEIR_CREDENTIALS_DIR"), "/credentials")
	show := &cobra.Command{
		Use:   "credentials",
		Short: "Make the passwords of services that run on their own, and show Grafana's once",
		Long: `credentials shows, once, the password of Grafana's administrator that credentials make has made.
deploy/compose/compose.yaml uses both.`,
		Example: "  docker compose run --rm weir credentials",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return showAdmin(dir, cmd.OutOrStdout()) },
	}
	show.PersistentFlags().StringVar(&dir, "dir", dir, "folder of the passwords (WEIR_CREDENTIALS_DIR)")
	chown := false
	fill := &cobra.Command{
		Use:   "make",
		Short: "Make the passwords that are not there",
		Long: `make writes random passwords of all users of NATS and ClickHouse and of Grafana's administrator, as files for
the servers and for each service, and keeps those that are there. One that is given wins: in a file of the
folder /run/secrets, or in the environment. The file of insert's password for NATS is insert_nats, the
variable WEIR_CREDENTIALS_INSERT_NATS; the others are named in the same way.

` + givenNames(),
		Example: "  weir credentials make --dir /credentials",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return makeCredentials(dir, chown, givenSecret, cmd.OutOrStdout())
		},
	}
	fill.Flags().BoolVar(&chown, "chown", false, "give each file to the user that its service runs as in deploy/compose/compose.yaml; needs root")
	show.AddCommand(fill)
	return show
}

// admin is where the password of Grafana's administrator is, and shown a copy for the one who looks first.
const (
	admin = "grafana/admin"
	shown = "operator/grafana-admin"
)

// showAdmin prints the copy and deletes it.
func showAdmin(dir string, out io.Writer) error {
	path := filepath.Join(dir, shown)
	password, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("Grafana's password was shown before, or was given; set another: docker compose exec grafana grafana cli admin reset-admin-password NEW") //nolint:staticcheck // a name
	}
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Grafana: user admin, password %s (this is shown once)\n", password)
	return err
}

// givenNames lists what can be given.
func givenNames() string {
	names := []string{envName(admin)}
	for _, a := range accounts() {
		if a.nats != "" {
			names = append(names, envName(a.name+"/nats"))
		}
	}
	for _, user := range clickhouseUsers() {
		names = append(names, envName("clickhouse/"+user))
	}
	return "  " + strings.Join(names, "\n  ")
}

func envName(secret string) string {
	return "WEIR_CREDENTIALS_" + strings.ToUpper(strings.ReplaceAll(secret, "/", "_"))
}

func clickhouseUsers() []string { return []string{"migrator", "writer", "reader"} }

// givenSecret returns what the user has set for a secret, "" for nothing.
func givenSecret(secret string) (string, error) {
	file := filepath.Join("/run/secrets", strings.ReplaceAll(secret, "/", "_"))
	text, err := os.ReadFile(file)
	where := file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text, where = []byte(os.Getenv(envName(secret))), envName(secret)
	case err != nil:
		return "", err
	}
	value := strings.TrimSpace(string(text))
	if value != "" && !passwordForm.MatchString(value) {
		return "", fmt.Errorf("%s: want at least 12 letters, digits and . _ ~ -, e.g. %s", where, rand.Text())
	}
	return value, nil
}

// passwordForm needs no escaping anywhere, URLs included.
var passwordForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{12,}$`)

// makeCredentials fills dir. What is there stays, unless another is given; what a start that
// was cut short has left is made anew: no server has read it.
func makeCredentials(dir string, chown bool, given func(secret string) (string, error), out io.Writer) error {
	_, err := os.Stat(filepath.Join(dir, "complete"))
	f := folder{dir: dir, chown: chown, given: given, keep: err == nil}
	var nats strings.Builder
	users := map[string]string{} // of ClickHouse
	for _, user := range clickhouseUsers() {
		users[user] = f.password("clickhouse/"+user, firstFile(user))
	}
	for _, a := range accounts() {
		if a.nats != "" {
			secret := a.name + "/nats"
			password := f.password(secret, secret)
			fmt.Fprintf(&nats, "password_%s: %q\n", a.nats, password)
			f.write(a.uid, secret, password)
		}
		if a.clickhouse != "" {
			f.write(a.uid, a.name+"/clickhouse", users[a.clickhouse])
		}
	}
	before := f.read(admin)
	password := f.password(admin, admin)
	if before == "" && f.random {
		f.write(operatorUID, shown, password)
	}
	f.write(grafanaUID, admin, password)
	route := f.password("nats/route", "nats/route")
	f.write(natsUID, "nats/route", route)
	f.write(natsUID, "nats/cluster.conf", natsCluster(route))
	f.write(natsUID, "nats/passwords.conf", nats.String())
	f.write(clickhouseUID, "clickhouse/passwords.xml", clickhousePasswords(users))
	f.write(os.Getuid(), "complete", "")
	if f.err == nil {
		fmt.Fprintf(out, "passwords: %d files written, %d as before\n", f.written, f.kept)
	}
	return f.err
}

// firstFile is one of the files that have the password of a user of ClickHouse.
func firstFile(user string) string {
	i := slices.IndexFunc(accounts(), func(a account) bool { return a.clickhouse == user })
	return accounts()[i].name + "/clickhouse"
}

// natsCluster is how the servers of the profile cluster reach each other.
func natsCluster(password string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster {\n  name: weir\n  listen: \"0.0.0.0:6222\"\n  authorization { user: route, password: %q }\n  routes: [\n", password)
	for _, host := range []string{"nats", "nats-2", "nats-3"} {
		fmt.Fprintf(&b, "    \"nats://route:%s@%s:6222\"\n", password, host)
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

// clickhousePasswords is the file that include_from of users.d names.
func clickhousePasswords(users map[string]string) string {
	var b strings.Builder
	b.WriteString("<clickhouse>\n")
	for _, user := range clickhouseUsers() {
		sum := sha256.Sum256([]byte(users[user]))
		fmt.Fprintf(&b, "  <%s>%s</%[1]s>\n", user, hex.EncodeToString(sum[:]))
	}
	b.WriteString("</clickhouse>\n")
	return b.String()
}

// folder writes files until one fails.
type folder struct {
	dir           string
	chown         bool
	given         func(secret string) (string, error)
	keep          bool // what is there
	random        bool // the last password is new
	written, kept int
	err           error
}

// password returns what is given for a secret, what its file has, or a new one.
func (f *folder) password(secret, file string) string {
	f.random = false
	value, err := f.given(secret)
	if err != nil {
		f.err = errors.Join(f.err, err)
	}
	if value != "" {
		return value
	}
	if value = f.read(file); value != "" {
		return value
	}
	f.random = true
	return rand.Text()
}

// read returns a file that is to be kept, "" where there is none.
func (f *folder) read(file string) string {
	if !f.keep {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(f.dir, file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.err = errors.Join(f.err, err)
	}
	return string(text)
}

// write makes a file that only the user uid can read. The folders stay ours, others pass through
// them; but that of the operator, who deletes what was shown, is the operator's.
func (f *folder) write(uid int, file, text string) {
	path := filepath.Join(f.dir, file)
	if f.err != nil {
		return
	}
	if _, err := os.Stat(path); err == nil && f.read(file) == text {
		f.kept++
		return
	}
	f.written++
	if f.err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o711), os.RemoveAll(path)); f.err != nil {
		return
	}
	f.err = os.WriteFile(path, []byte(text), 0o400)
	if f.err == nil && f.chown {
		f.err = os.Chown(path, uid, uid)
	}
	if f.err == nil && f.chown && uid == operatorUID {
		f.err = os.Chown(filepath.Dir(path), uid, uid)
	}
}
