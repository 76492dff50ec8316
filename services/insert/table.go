// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/weirflow/weir/flow"
)

// table is what the database says of a table.
type table struct {
	name    string
	columns map[string]string // types by name
	clock   clock
	// replicated tables write a deduplication token and its part as one.
	replicated bool
	// merging tables make one row of rows with the same sorting key, which must tell marked
	// rows apart.
	merging, marked bool
}

// schemaError is a table that is not as this version needs it. Migrating mends it.
type schemaError struct{ problem string }

func (e *schemaError) Error() string { return e.problem + ` (run "weir migrate")` }

// readTable reads the columns that can be written.
func readTable(ctx context.Context, conn driver.Conn, name string) (*table, error) {
	rows, err := conn.Query(ctx, `SELECT c.name, c.type, c.is_in_sorting_key, t.engine
		FROM system.columns AS c JOIN system.tables AS t ON c.database = t.database AND c.table = t.name
		WHERE c.database = currentDatabase() AND c.table = ? AND c.default_kind NOT IN ('ALIAS', 'MATERIALIZED')`, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err has told already
	t := &table{name: name, columns: map[string]string{}, clock: clockOf(name)}
	for rows.Next() {
		var column, typ, engine string
		var sorting uint8
		if err := rows.Scan(&column, &typ, &sorting, &engine); err != nil {
			return nil, err
		}
		t.columns[column] = typ
		t.marked = t.marked || column == markColumn && sorting == 1
		base := strings.TrimPrefix(strings.TrimPrefix(engine, "Replicated"), "Shared")
		t.replicated, t.merging = base != engine, base != "MergeTree"
		if engine == "Distributed" { // over replicated tables, as our templates make it
			t.replicated, t.merging = true, false
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(t.columns) == 0 {
		return nil, &schemaError{fmt.Sprintf("table %s: does not exist", name)}
	}
	return t, nil
}

// typeOf returns the type of a column that takes values of kind and width.
func (t *table) typeOf(column string, kind flow.Kind, width int) (columnType, error) {
	name, ok := t.columns[column]
	if !ok {
		return columnType{}, &schemaError{fmt.Sprintf("table %s: column %s is missing", t.name, column)}
	}
	typ, ok := parseType(name)
	if !ok || typ.kind != kind || typ.width < width {
		return columnType{}, &schemaError{fmt.Sprintf("table %s: column %s has type %s, which does not take %s", t.name, column, name, describe(kind, width))}
	}
	return typ, nil
}

// typeOfColumn returns the type of a column that package flow describes.
func (t *table) typeOfColumn(info flow.Info) (columnType, error) {
	typ, err := t.typeOf(info.Name, info.Kind, info.Width)
	if err != nil {
		return typ, err
	}
	if want, _ := parseType(info.Type); want.time != typ.time {
		return typ, &schemaError{fmt.Sprintf("table %s: column %s has type %s, want %s", t.name, info.Name, t.columns[info.Name], info.Type)}
	}
	return typ, nil
}

// check reports what the table lacks to hold any flow, or any marked insert.
func (t *table) check() error {
	if t.name == flowsTable {
		for f := range flow.Fields() {
			if _, err := t.typeOfColumn(f.Info()); err != nil {
				return err
			}
		}
	}
	if of, ok := counterTable(t.name); ok {
		for _, info := range of.Columns() {
			if _, err := t.typeOfColumn(info); err != nil {
				return err
			}
		}
	}
	if _, err := t.typeOf(markColumn, flow.Number, 8); err != nil {
		return err
	}
	if t.merging && !t.marked {
		return &schemaError{fmt.Sprintf("table %s: column %s is not in the sorting key", t.name, markColumn)}
	}
	return nil
}

// columnType is how the values of a ClickHouse type look on the wire.
type columnType struct {
	name  string // as ClickHouse says it
	kind  flow.Kind
	width int    // octets of a value
	time  string // DateTime or DateTime64(n), empty for what is not a time
}

// widths are the octets of numbers. Those that have a sign or a fraction are taken as they are.
var widths = map[string]int{"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "Int32": 4, "Int64": 8, "Float32": 4}

// parseType understands the types of our tables.
func parseType(name string) (columnType, bool) {
	t := columnType{name: name, kind: flow.Number}
	if inner, ok := cutType(name, "SimpleAggregateFunction"); ok {
		_, name, _ = strings.Cut(inner, ", ")
	}
	if inner, ok := cutType(name, "Array"); ok {
		element, ok := parseType(inner)
		t.kind, t.width = flow.Numbers, element.width
		if element.kind == flow.Address {
			t.kind = flow.Addresses
		}
		return t, ok && element.kind != flow.Text
	}
	switch base, parameters, _ := strings.Cut(name, "("); base {
	case "UInt8", "UInt16", "UInt32", "UInt64", "Int32", "Int64", "Float32":
		t.width = widths[base]
	case "DateTime":
		t.width, t.time = 4, base
	case "DateTime64": // DateTime64(9) or DateTime64(9, 'UTC')
		precision, _, _ := strings.Cut(strings.TrimSuffix(parameters, ")"), ",")
		t.width, t.time = 8, base+"("+precision+")"
		return t, precision != ""
	case "IPv6":
		t.kind, t.width = flow.Address, 16
	case "LowCardinality":
		t.kind, t.width = flow.Text, 4
		return t, parameters == "String)"
	default:
		return t, false
	}
	return t, true
}

// cutType returns what stands in outer( ).
func cutType(name, outer string) (string, bool) {
	inner, ok := strings.CutPrefix(name, outer+"(")
	return strings.TrimSuffix(inner, ")"), ok
}

func describe(kind flow.Kind, width int) string {
	switch kind {
	case flow.Text:
		return "text"
	case flow.Address:
		return "addresses"
	case flow.Addresses:
		return "lists of addresses"
	case flow.Numbers:
		return fmt.Sprintf("lists of numbers of %d bits", 8*width)
	default:
		return fmt.Sprintf("numbers of %d bits", 8*width)
	}
}
