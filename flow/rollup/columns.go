// SPDX-License-Identifier: Apache-2.0

package rollup

import "fmt"

// WindowColumn is the start of the window in every rollup's table.
const WindowColumn = "window_start"

// markColumn is in every table: insert writes it.
const markColumn = "insert_id"

// Column is a column of a rollup's table.
type Column struct{ Name, Type string }

// Columns returns the columns of the rollup's table behind window_start: the keys, which
// are its sorting key, and the measures, which merge by the functions of their types.
func (r Rollup) Columns() (keys, measures []Column, err error) {
	parsed, err := r.ParsedKeys()
	if err != nil {
		return nil, nil, err
	}
	for _, k := range parsed {
		keys = append(keys, Column{k.Name, k.Type})
	}
	if r.Top > 0 {
		keys = append(keys, Column{OtherColumn, "UInt8"})
	}
	sums, err := r.ParsedMeasures()
	if err != nil {
		return nil, nil, err
	}
	for _, m := range sums {
		function := map[Of]string{Max: "max", Min: "min"}[m.Of]
		if function == "" {
			function = "sum"
		}
		measures = append(measures, Column{m.Name, fmt.Sprintf("SimpleAggregateFunction(%s, %s)", function, m.Type)})
	}
	return keys, measures, nil
}
