// SPDX-License-Identifier: Apache-2.0

package compose_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

const folder = "../../deploy/compose/"

// load reads the file as docker compose does.
func load(t *testing.T, envFile string, profiles ...string) *types.Project {
	t.Helper()
	options := []cli.ProjectOptionsFn{cli.WithProfiles(profiles), cli.WithWorkingDirectory(folder)}
	if envFile != "" {
		options = append(options, cli.WithEnvFiles(folder+envFile), cli.WithDotEnv)
	}
	return project(t, []string{"compose.yaml"}, options...)
}

func project(t *testing.T, files []string, options ...cli.ProjectOptionsFn) *types.Project {
	t.Helper()
	var paths []string
	for _, f := range files {
		paths = append(paths, folder+f)
	}
	o, err := cli.NewProjectOptions(paths, options...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestIngestInTheHostsNetwork publishes NATS on loopback and nothing more.
func TestIngestInTheHostsNetwork(t *testing.T) {
	t.Parallel()
	p := project(t, []string{"compose.yaml", "host-network.yaml"}, cli.WithWorkingDirectory(folder))
	ingest, nats := p.Services["ingest"], p.Services["nats"]
	if ingest.NetworkMode != "host" || len(ingest.Networks) > 0 || len(ingest.Ports) > 0 {
		t.Errorf("ingest: network mode %q, networks %v, ports %v", ingest.NetworkMode, ingest.Networks, ingest.Ports)
	}
	if len(nats.Ports) != 1 || nats.Ports[0].HostIP != "127.0.0.1" {
		t.Errorf("nats publishes %v", nats.Ports)
	}
}

func all(t *testing.T) *types.Project {
	t.Helper()
	return load(t, "cluster.env", "demo", "tools", "cluster")
}

// Services of each profile; "" is none.
var services = map[string][]string{
	"": {
		"aggregate", "clickhouse", "credentials", "decode", "enrich", "grafana", "ingest", "insert", "migrate", "nats", "prometheus",
		"streams", "volumes",
	},
	"demo":    {"demo"},
	"tools":   {"weir"},
	"cluster": {"nats-2", "nats-3"},
}

func TestEveryCombinationOfProfilesLoads(t *testing.T) {
	t.Parallel()
	optional := []string{"demo", "tools", "cluster"}
	for set := range 1 << len(optional) {
		var profiles []string
		want := slices.Clone(services[""])
		for i, p := range optional {
			if set&(1<<i) != 0 {
				profiles = append(profiles, p)
				want = append(want, services[p]...)
			}
		}
		t.Run(strings.Join(profiles, "+"), func(t *testing.T) {
			t.Parallel()
			slices.Sort(want)
			if diff := cmp.Diff(want, load(t, "", profiles...).ServiceNames()); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClusterHasThreeServersAndThreeCopies(t *testing.T) {
	t.Parallel()
	p := load(t, "cluster.env", "cluster")
	for _, name := range []string{"nats", "nats-2", "nats-3"} {
		if want := []string{"--config", "/etc/nats/nats-cluster.conf", "--name", name}; !slices.Equal(p.Services[name].Command, want) {
			t.Errorf("%s runs %v, want %v", name, p.Services[name].Command, want)
		}
		if v := p.Services[name].Volumes[0]; v.Source != name || v.Target != "/data" {
			t.Errorf("%s keeps its data in %v", name, v)
		}
	}
	env := p.Services["streams"].Environment
	if *env["WEIR_NATS_REPLICAS"] != "3" || strings.Count(*env["WEIR_NATS_URL"], "nats://") != 3 {
		t.Errorf("streams has %s copies on %s", *env["WEIR_NATS_REPLICAS"], *env["WEIR_NATS_URL"])
	}
}

func TestContainersAreLocked(t *testing.T) {
	t.Parallel()
	once := []string{"volumes", "credentials"} // they are root to give files away
	for name, s := range all(t).Services {
		if s.ReadOnly == (name == "clickhouse") { // which writes its configuration there
			t.Errorf("%s: read-only root file system is %v", name, s.ReadOnly)
		}
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s drops %v, with %v", name, s.CapDrop, s.SecurityOpt)
		}
		if s.MemLimit == 0 || s.PidsLimit == 0 {
			t.Errorf("%s has no limit of memory or of processes", name)
		}
		if user, _, _ := strings.Cut(s.User, ":"); slices.Contains(once, name) {
			if s.NetworkMode != "none" || s.Restart != "on-failure" {
				t.Errorf("%s is root, with the network %q", name, s.NetworkMode)
			}
		} else if user == "0" || user == "" && name != "demo" && name != "weir" || len(s.CapAdd) > 0 {
			t.Errorf("%s runs as %q with %v", name, s.User, s.CapAdd)
		}
	}
}

func TestPublishedIsOnlyWhatMustBe(t *testing.T) {
	t.Parallel()
	p := all(t)
	var got []string
	for name, s := range p.Services {
		for _, port := range s.Ports {
			got = append(got, name+" "+port.HostIP+" "+port.Published+"/"+port.Protocol)
		}
		if s.NetworkMode == "host" {
			t.Errorf("%s is in the host's network", name)
		}
	}
	slices.Sort(got)
	want := []string{"grafana 127.0.0.1 3000/tcp", "ingest 0.0.0.0 2055/udp", "ingest 0.0.0.0 4739/udp", "ingest 0.0.0.0 6343/udp"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	for name, network := range p.Networks {
		if !network.Internal && name != "edge" {
			t.Errorf("network %s reaches the outside", name)
		}
	}
	for name, s := range p.Services {
		if _, out := s.Networks["edge"]; out && name != "ingest" && name != "grafana" {
			t.Errorf("%s reaches the outside", name)
		}
	}
}

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`:v?\d+\.\d+`)
	for name, s := range all(t).Services {
		if !strings.HasPrefix(s.Image, "weir/") && !version.MatchString(s.Image) {
			t.Errorf("%s: image %s has no version", name, s.Image)
		}
	}
}

// secret is what looks like one in a value.
var secret = regexp.MustCompile(`(?i)(password|secret|token)[^_a-z]*[=:] *[^$/ ]`)

func TestNoSecretIsInTheFile(t *testing.T) {
	t.Parallel()
	for name, s := range all(t).Services {
		for key, value := range s.Environment {
			if value != nil && (secret.MatchString(key+"="+*value) || strings.HasPrefix(key, "WEIR_CREDENTIALS_")) {
				t.Errorf("%s: %s is %q", name, key, *value)
			}
		}
	}
}
