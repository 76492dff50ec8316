// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/weirflow/weir/flow"
)

func TestRawColumnsAreLittleEndianAndEndWithTheLastValue(t *testing.T) {
	t.Parallel()
	var b flow.Batch
	for _, port := range []uint64{80, 0x1234, 0} {
		var r flow.Record
		if port != 0 {
			r.SetNumber(flow.SrcPort, port)
			r.AddNumber(flow.ASPath, port)
			r.AddNumber(flow.ASPath, 1)
		}
		b.Append(&r)
	}
	check := func(name string, want []byte) func([]byte, int) {
		return func(values []byte, width int) {
			t.Helper()
			if !bytes.Equal(values, want) {
				t.Errorf("%s: %v in %d octets, want %v", name, values, width, want)
			}
		}
	}
	check("numbers", []byte{80, 0, 0x34, 0x12})(b.RawColumn(flow.SrcPort))
	check("lengths", []byte{2, 2})(b.RawColumn(flow.ASPath))
	check("list", []byte{80, 0, 1, 0, 0x34, 0x12, 1, 0})(b.RawList(flow.ASPath))
}

func TestFieldsAreThoseWithANumber(t *testing.T) {
	t.Parallel()
	if got, want := slices.Collect(flow.Fields()), allFields(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
