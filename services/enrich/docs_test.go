// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/flow"
)

// block is a code block of docs/enrichment.md.
type block struct{ section, kind, text string }

func documentation(t *testing.T) []block {
	t.Helper()
	page, err := os.ReadFile("../../docs/enrichment.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	section := ""
	for _, m := range regexp.MustCompile("(?ms)^##+ ([^\n]*)$|^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if m[1] != "" {
			section = m[1]
			continue
		}
		blocks = append(blocks, block{section, m[2], m[3]})
	}
	return blocks
}

// exampleFiles makes the files that the examples name, in a folder that takes the place of theirs.
func exampleFiles(t *testing.T) (folder string) {
	t.Helper()
	dir := t.TempDir()
	writeDatabase(t, filepath.Join(dir, "GeoLite2-ASN.mmdb"), "GeoLite2-ASN", map[string]mmdbtype.Map{
		"192.0.2.0/24": asn(64496), "2001:db8::/32": asn(65551),
	})
	zurich := countryOf("CH")
	zurich["city"] = mmdbtype.Map{"names": mmdbtype.Map{"de": mmdbtype.String("Zürich DE"), "en": mmdbtype.String("Zürich")}}
	zurich["subdivisions"] = mmdbtype.Slice{mmdbtype.Map{"iso_code": mmdbtype.String("ZH")}, mmdbtype.Map{"iso_code": mmdbtype.String("112")}}
	writeDatabase(t, filepath.Join(dir, "GeoLite2-City.mmdb"), "GeoLite2-City", map[string]mmdbtype.Map{
		"192.0.2.0/24": zurich, "2001:db8::/32": countryOf("SE"),
	})
	write(t, filepath.Join(dir, "privacy.key"), "1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202\n")
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// configOf reads settings as the process does.
func configOf(t *testing.T, text, folder string) Config {
	t.Helper()
	text = strings.NewReplacer("/var/lib/weir", folder, "/etc/weir", folder).Replace(text)
	path := filepath.Join(t.TempDir(), "weir.yaml")
	write(t, path, text)
	cfg := struct {
		Enrich Config `yaml:"enrich"`
	}{DefaultConfig()}
	if err := daemon.NewSettings(&cfg).Load(daemon.Sources{File: path, Strict: true}); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg.Enrich
}

func TestExamplesOfTheDocumentation(t *testing.T) {
	t.Parallel()
	folder := exampleFiles(t)
	var cfg Config
	flows := 0
	for _, b := range documentation(t) {
		named, isFile := strings.CutPrefix(b.text, "# /etc/weir/")
		switch {
		case isFile:
			name, content, _ := strings.Cut(named, "\n")
			write(t, filepath.Join(folder, name), content)
		case b.kind == "sql":
		case b.kind == "yaml":
			cfg = configOf(t, b.text, folder)
		default:
			flows++
			given, want := exampleFlow(t, b.text)
			e := newEnricher(newConfiguredLibrary(t, cfg), newTwins(cfg.Duplicates))
			var out flow.Batch
			e.enrich(given, &out)
			for _, line := range want {
				if got := fieldText(&out, line[0]); got != line[1] {
					t.Errorf("%s: %s is %q, want %q", b.section, line[0], got, line[1])
				}
			}
		}
	}
	if flows < 10 {
		t.Errorf("only %d flows were found", flows)
	}
}

// exampleFlow reads lines of "given" or "gives", a column and its value.
func exampleFlow(t *testing.T, text string) (given *flow.Batch, want [][2]string) {
	t.Helper()
	given = new(flow.Batch)
	var r flow.Record
	for line := range strings.Lines(text) {
		words := append(strings.SplitN(strings.TrimSpace(line), " ", 3), "")
		f, ok := fieldNamed(words[1])
		switch {
		case !ok:
			t.Fatalf("no column %s", words[1])
		case words[0] == "gives":
			want = append(want, [2]string{words[1], words[2]})
		case f.Info().Kind == flow.Address:
			r.SetAddress(f, netip.MustParseAddr(words[2]).As16())
		case f.Info().Kind == flow.Text:
			r.SetNumber(f, given.Intern(f, words[2]))
		default:
			n, err := strconv.ParseUint(words[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			r.SetNumber(f, n)
		}
	}
	given.Append(&r)
	return given, want
}

func fieldNamed(name string) (flow.Field, bool) {
	for f := range flow.Fields() {
		if f.String() == name {
			return f, true
		}
	}
	return 0, false
}

func fieldText(b *flow.Batch, name string) string {
	f, _ := fieldNamed(name)
	switch f.Info().Kind {
	case flow.Text:
		return b.Text(f, 0)
	case flow.Address:
		return b.Address(f, 0).Unmap().String()
	default:
		return fmt.Sprint(b.Number(f, 0))
	}
}
