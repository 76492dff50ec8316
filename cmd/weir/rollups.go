// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/weirflow/weir/flow/rollup"
	"github.com/weirflow/weir/migrations"
)

// rollupTables returns the tables of the user's rollups. Those of the built-in ones are made
// by migrations.
func rollupTables(rollups []rollup.Rollup) ([]migrations.RollupTable, error) {
	var tables []migrations.RollupTable
	for _, r := range rollups {
		keys, measures, err := r.Columns()
		if err != nil {
			return nil, fmt.Errorf("rollup %s: %w", r.Name, err)
		}
		tables = append(tables, migrations.RollupTable{Name: r.Name, Keys: columnsOf(keys), Measures: columnsOf(measures)})
	}
	return tables, nil
}

func columnsOf(list []rollup.Column) []migrations.Column {
	columns := make([]migrations.Column, len(list))
	for i, c := range list {
		columns[i] = migrations.Column(c)
	}
	return columns
}
