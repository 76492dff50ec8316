// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
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
	writeDatabase(t, filepath.Join(dir, "ipinfo_lite.mmdb"), "ipinfo generic_bundle_lite.mmdb", map[string]mmdbtype.Map{
		"198.51.100.0/24": {
			"asn": mmdbtype.String("AS64497"), "as_name": mmdbtype.String("Example Hosting"), "as_domain": mmdbtype.String("example.net"),
			"country": mmdbtype.String("Finland"), "country_code": mmdbtype.String("FI"), "continent_code": mmdbtype.String("EU"),
		},
	})
	write(t, filepath.Join(dir, "snmp-auth"), "correct-horse\n")
	write(t, filepath.Join(dir, "snmp-priv"), "battery-staple\n")
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
	env := func(name string) (string, bool) { return "public", name == "SNMP_COMMUNITY" }
	if err := daemon.NewSettings(&cfg).Load(daemon.Sources{File: path, Strict: true, Env: env}); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg.Enrich
}

func TestExamplesOfTheDocumentation(t *testing.T) {
	t.Parallel()
	folder := exampleFiles(t)
	var cfg Config
	var out flow.Batch
	seen := map[string]int{}
	for _, b := range documentation(t) {
		named, isFile := strings.CutPrefix(b.text, "# /etc/weir/")
		switch {
		case isFile:
			name, content, _ := strings.Cut(named, "\n")
			write(t, filepath.Join(folder, name), content)
		case b.kind == "yaml":
			cfg = configOf(t, b.text, folder)
		case b.kind == "json":
			checkJSON(t, &out, b)
		default:
			given, want := exampleFlow(t, b.text)
			e := newEnricher(newConfiguredLibrary(t, cfg), newTwins(cfg.Duplicates))
			out.Reset()
			e.enrich(given, &out)
			for _, line := range want {
				if got := fieldText(&out, line[0]); got != line[1] {
					t.Errorf("%s: %s is %q, want %q", b.section, line[0], got, line[1])
				}
			}
		}
		seen[b.kind]++
	}
	if seen["text"] < 14 || seen["json"] < 1 || seen["csv"] < 1 {
		t.Errorf("only these were found: %v", seen)
	}
}

// checkJSON compares the values that b has with those of the flow as a row.
func checkJSON(t *testing.T, out *flow.Batch, b block) {
	t.Helper()
	for line := range out.JSON(flow.GoFlow2) {
		var got, want map[string]any
		if err := cmp.Or(json.Unmarshal(line, &got), json.Unmarshal([]byte(b.text), &want)); err != nil {
			t.Fatalf("%s: %v", b.section, err)
		}
		maps.DeleteFunc(got, func(key string, _ any) bool { _, ok := want[key]; return !ok })
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", b.section, diff)
		}
	}
}

func TestSecretsOfSNMPComeFromElsewhere(t *testing.T) {
	t.Parallel()
	folder := exampleFiles(t)
	for _, b := range documentation(t) {
		if b.section != "SNMP" || b.kind != "yaml" {
			continue
		}
		targets := configOf(t, b.text, folder).SNMP.Targets
		got := targets[0].Community + " " + targets[1].AuthPassword + " " + targets[1].PrivPassword
		if want := "public correct-horse battery-staple"; got != want {
			t.Errorf("secrets are %q, want %q", got, want)
		}
		return
	}
	t.Error("no example was found")
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
