// SPDX-License-Identifier: Apache-2.0

//go:build !race

package insert

import (
	"testing"

	"github.com/weirflow/weir/flow"
)

func TestMakingABlockAllocatesNothingForARow(t *testing.T) {
	var all columnsOf
	for f := range flow.Fields() {
		all = append(all, f)
	}
	messages := typical(t, 20, 1000)
	columns := all.table()
	var b batch
	allocs := testing.AllocsPerRun(5, func() {
		if err := b.setFlows(columns, messages); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 100 {
		t.Errorf("%.0f allocations for 20000 rows", allocs)
	}
}
