// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// newOf is where a value of a column is scanned to.
func newOf(c driver.ColumnType) any { return reflect.New(c.ScanType()).Interface() }

// at is a value, nil for NULL.
func (a answer) at(row, column int) any {
	v := reflect.ValueOf(a.rows[row][column]).Elem()
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	return v.Interface()
}

func (a answer) text(row, column int) string { return fmt.Sprint(a.at(row, column)) }

func (a answer) time(row int) time.Time {
	t, _ := a.at(row, 0).(time.Time)
	return t
}

// column is the place of a column.
func (a answer) column(t *testing.T, name string) int {
	t.Helper()
	i := slices.IndexFunc(a.columns, func(c driver.ColumnType) bool { return c.Name() == name })
	if i < 0 {
		t.Fatalf("there is no column %s", name)
	}
	return i
}

// number is a value as it is drawn, 0 for NULL.
func (a answer) number(t *testing.T, row int, column string) float64 {
	t.Helper()
	v := a.at(row, a.column(t, column))
	if v == nil {
		return 0
	}
	return reflect.ValueOf(v).Convert(reflect.TypeFor[float64]()).Float()
}
