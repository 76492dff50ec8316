// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirflow/weir/services/probe/internal/meter"
	"github.com/weirflow/weir/services/probe/internal/model"
)

func sample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/goflowd.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSampleOfGoflowd(t *testing.T) {
	t.Parallel()
	plan, err := model.Parse([]byte(sample(t)))
	if err != nil {
		t.Fatal(err)
	}
	cache := plan.Caches[0].Config
	if cache.Kind != meter.Timeout || cache.MaxFlows != 4096 || cache.Active != 5000*time.Second || cache.Idle != 10000*time.Second {
		t.Errorf("cache %+v", cache)
	}
	if n := len(cache.Layout); n != 9 || !cache.Layout[4].Key || cache.Layout[5].Key || cache.Layout[8].Name != "packetDeltaCount" {
		t.Errorf("layout %+v", cache.Layout)
	}
	if d := plan.Destinations[0]; d.Address != "192.168.1.1:4739" || d.Version != 10 || d.Transport != model.UDP {
		t.Errorf("destination %+v", d)
	}
	if p := plan.Points[0]; p.Interfaces[0] != "enp0s3" || p.Domain != 1 || p.SnapLength != 1518 || p.Direction != model.Ingress {
		t.Errorf("observation point %+v", p)
	}
}

func TestEnvelopeOfRFC7951(t *testing.T) {
	t.Parallel()
	if _, err := model.Parse([]byte(`{"ietf-ipfix-psamp:ipfix": ` + sample(t) + `}`)); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsWrongIsNamed: each change of the sample has an error that says where it is.
func TestWhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ from, to, want string }{
		"unknown parameter":                   {`"maxFlows": 4096`, `"maxFlow": 4096`, `unknown field "maxFlow"`},
		"unknown element":                     {"octetDeltaCount", "octetDeltas", `cache "Flow cache": cacheField "Field 8": element octetDeltas`},
		"a counter as key":                    {`"ieName": "octetDeltaCount"`, `"ieName": "octetDeltaCount", "isFlowKey": [null]`, "can't be a flow key"},
		"no such cache":                       {`"cache": "Flow cache"`, `"cache": "Flows"`, `selectionProcess "All": there is no cache "Flows"`},
		"no such exporter":                    {"\"UDP\"\n            ]", "\"TCP\"\n            ]", `cache "Flow cache": there is no exportingProcess "TCP"`},
		"address":                             {"192.168.1.1", "collector", `destinationIPAddress is "collector"`},
		"version":                             {`"ipfixVersion": 10`, `"ipfixVersion": 8`, "ipfixVersion is 8"},
		"two methods":                         {`"selectAll": [`, `"sampUniProb": {"probability": "0.5"}, "selectAll": [`, "has 2 methods, want one"},
		"hash filter":                         {`"selectAll"`, `"filterHash": {}, "selectAll"`, "filterHash is not supported"},
		"interval of none":                    {`"maxFlows": 4096`, `"maxFlows": 0`, "maxFlows is 0"},
		"timeout of another kind":             {`"activeTimeout": 5000`, `"exportInterval": 5`, "exportInterval is not for this kind"},
		"a length too great":                  {`"ieName": "sourceTransportPort"`, `"ieName": "sourceTransportPort", "ieLength": 4`, "has 2 octets or less"},
		"file and interface":                  {`"direction"`, `"offlineFile": "x.pcap", "direction"`, "want one of ifName and offlineFile"},
		"a section as a flow's":               {`"ieName": "octetDeltaCount"`, `"ieName": "dataLinkFrameSection"`, "is for an immediateCache"},
		"a section of a length":               {`"ieName": "octetDeltaCount"`, `"ieName": "ipHeaderPacketSection", "ieLength": 64`, "has a variable length, 65535"},
		"DTLS":                                {`"ipfixVersion": 10`, `"transportLayerSecurity": {}`, "DTLS is not supported"},
		"NetFlow v9 is one that is supported": {`"ipfixVersion": 10`, `"ipfixVersion": 9`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(sample(t), tt.from, tt.to, 1)
			if text == sample(t) {
				t.Fatal("the sample has no such text")
			}
			_, err := model.Parse([]byte(text))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("../../testdata/goflowd.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = model.Parse(text) })
}
