// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// aRecord is a NetFlow v1 datagram whose count promises two records, of which there is one.
const aRecord = "00010002" + "000003e8" + "5f5e1000" + "00000000" +
	"c0000201" + "c6336401" + "00000000" + "00010002" + "00000007" + "00000280" + "00000064" + "000000c8" +
	"9c400050" + "00000600" + "1b000000" + "00000000"

func TestExplainShowsFieldsColumnsAndProblems(t *testing.T) {
	t.Parallel()
	out, err := weir(t, "explain", aRecord).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"sourceIPv4Address (8): 192.0.2.1  -> src_addr", "destinationTransportPort (11): 80  -> dst_port",
		"! length_mismatch: length or count in the header differs",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
}

func TestExplainIsForMachinesToo(t *testing.T) {
	t.Parallel()
	out, err := weir(t, "explain", "--json", aRecord).Output()
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Datagram struct {
			Name, Problem string
			Parts         []struct{ Name string }
		}
	}
	if err := json.Unmarshal(out, &e); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d := e.Datagram
	if d.Name != "NetFlow v1" || d.Problem != "length_mismatch" || len(d.Parts) != 2 || d.Parts[1].Name != "record 0" {
		t.Errorf("explain --json: %+v", e)
	}
}
