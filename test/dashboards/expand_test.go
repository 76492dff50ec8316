// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// asked is what Grafana knows when it sends a query.
type asked struct {
	from, to  time.Time
	interval  time.Duration
	variables map[string]value
}

// value is what is chosen of a variable.
type value struct {
	texts, values []string
	all           bool // All, of a variable without a value of its own for it: then values are all
}

func one(text, v string) value { return value{texts: []string{text}, values: []string{v}} }

// references are $name, ${name} and ${name:format}.
var references = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}|\$(\w+)`)

// expand makes the query that ClickHouse gets: first $__conditionalAll, then variables, both in the
// browser, then the other macros, in the data source's backend. See the pages "ClickHouse template
// variables" and "ClickHouse query editor" of the data source's documentation.
func (a asked) expand(sql string) (string, error) {
	sql, err := a.conditions(sql)
	if err != nil {
		return "", err
	}
	if sql, err = a.interpolate(sql); err != nil {
		return "", err
	}
	sql = a.macros(sql)
	if rest := regexp.MustCompile(`\$\S*`).FindString(sql); rest != "" {
		return "", fmt.Errorf("%s is neither a macro nor a variable", rest)
	}
	return sql, nil
}

// conditions replaces $__conditionalAll(condition, $variable), the last first: arguments end at commas
// that are in no further brackets, and the variable must be plain.
func (a asked) conditions(sql string) (string, error) {
	const macro = "$__conditionalAll("
	for {
		at := strings.LastIndex(sql, macro)
		if at < 0 {
			return sql, nil
		}
		args, end := arguments(sql[at+len(macro):])
		if len(args) != 2 {
			return "", fmt.Errorf("$__conditionalAll has %d arguments: %q", len(args), args)
		}
		plain := regexp.MustCompile(`^\s*\$\{?(\w+)\}?\s*$`).FindStringSubmatch(args[1])
		if plain == nil {
			return "", fmt.Errorf("$__conditionalAll: %q is not a plain variable", args[1])
		}
		chosen, ok := a.variables[plain[1]]
		if !ok {
			return "", fmt.Errorf("$__conditionalAll: there is no variable %s", plain[1])
		}
		condition := args[0]
		if chosen.all || len(chosen.values) == 0 {
			condition = "1=1"
		}
		sql = sql[:at] + condition + sql[at+len(macro)+end:]
	}
}

// arguments splits what follows an opening bracket, up to and with the one that closes it.
func arguments(text string) (args []string, end int) {
	depth, start := 1, 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 || c == ',' && depth == 1 {
			args, start = append(args, text[start:i]), i+1
		}
		if depth == 0 {
			return args, i + 1
		}
	}
	return nil, 0
}

// interpolate replaces variables by Grafana's formats.
func (a asked) interpolate(sql string) (string, error) {
	var err error
	sql = references.ReplaceAllStringFunc(sql, func(reference string) string {
		m := references.FindStringSubmatch(reference)
		name, format := m[1]+m[3], m[2]
		if strings.HasPrefix(name, "__") {
			return reference
		}
		v, ok := a.variables[name]
		if !ok {
			err = fmt.Errorf("there is no variable %s", name)
		}
		switch format {
		case "text":
			return strings.Join(v.texts, " + ")
		case "csv":
			return strings.Join(v.values, ",")
		case "singlequote":
			var quoted []string
			for _, s := range v.values {
				quoted = append(quoted, "'"+strings.ReplaceAll(s, "'", `\'`)+"'")
			}
			return strings.Join(quoted, ",")
		case "":
			if len(v.values) == 1 {
				return v.values[0]
			}
			return "'" + strings.Join(v.values, "','") + "'"
		default:
			err = fmt.Errorf("%s: the format is none that this test knows", reference)
			return ""
		}
	})
	return sql, err
}

// macros replaces those of the backend. $__interval_s is at least 1.
func (a asked) macros(sql string) string {
	seconds := func(t time.Time) string { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
	millis := func(t time.Time) string { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli()) }
	date := func(t time.Time) string { return "toDate('" + t.Format(time.DateOnly) + "')" }
	between := func(from, to string) func(string) string {
		return func(column string) string { return column + " >= " + from + " AND " + column + " <= " + to }
	}
	interval := max(int(a.interval.Seconds()), 1)
	for _, m := range []struct {
		name string
		make func(column string) string
	}{
		{"timeFilter_ms", between(millis(a.from), millis(a.to))},
		{"timeFilter", between(seconds(a.from), seconds(a.to))},
		{"dateFilter", between(date(a.from), date(a.to))},
		{"timeInterval_ms", func(c string) string {
			return fmt.Sprintf("toStartOfInterval(toDateTime64(%s, 3), INTERVAL %d millisecond)", c, max(a.interval.Milliseconds(), 1))
		}},
		{"timeInterval", func(c string) string {
			return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", c, interval)
		}},
	} {
		for start := "$__" + m.name + "("; ; {
			at := strings.Index(sql, start)
			if at < 0 {
				break
			}
			args, end := arguments(sql[at+len(start):])
			sql = sql[:at] + m.make(strings.TrimSpace(strings.Join(args, ","))) + sql[at+len(start)+end:]
		}
	}
	return strings.NewReplacer(
		"$__fromTime_ms", millis(a.from), "$__toTime_ms", millis(a.to), "$__fromTime", seconds(a.from), "$__toTime", seconds(a.to),
		"$__interval_s", fmt.Sprint(interval),
	).Replace(sql)
}

// TestQueriesAreExpandedAsDocumented has the documentation's own examples.
func TestQueriesAreExpandedAsDocumented(t *testing.T) {
	t.Parallel()
	a := asked{
		from: time.UnixMilli(1415792726123), to: time.UnixMilli(1447328726456), interval: 20 * time.Second,
		variables: map[string]value{
			"database": {texts: []string{"db1", "db2"}, values: []string{"db1", "db2"}}, "one": one("The one", "o'ne"), "everything": {all: true, values: []string{"a", "b"}},
		},
	}
	for in, want := range map[string]string{
		"$__timeFilter(time)":            "time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)",
		"$__timeFilter_ms(time)":         "time >= fromUnixTimestamp64Milli(1415792726123) AND time <= fromUnixTimestamp64Milli(1447328726456)",
		"$__dateFilter(date)":            "date >= toDate('2014-11-12') AND date <= toDate('2015-11-12')",
		"$__fromTime to $__toTime":       "toDateTime(1415792726) to toDateTime(1447328726)",
		"$__fromTime_ms":                 "fromUnixTimestamp64Milli(1415792726123)",
		"$__interval_s":                  "20",
		"$__timeInterval(column)":        "toStartOfInterval(toDateTime(column), INTERVAL 20 second)",
		"$__timeInterval_ms(a.b)":        "toStartOfInterval(toDateTime64(a.b, 3), INTERVAL 20000 millisecond)",
		"IN (${database:singlequote})":   "IN ('db1','db2')",
		"${one:singlequote} ${one:text}": `'o\'ne' The one`,
		"$__conditionalAll(database IN (${database:singlequote}), $database)":       "database IN ('db1','db2')",
		"$__conditionalAll(x IN (f(${everything:csv}, 1), 2), ${everything}) AND y": "1=1 AND y",
	} {
		if got, err := a.expand(in); err != nil || got != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	for _, in := range []string{"$__noSuchMacro(x)", "${nobody}", "$__conditionalAll(x, ${database:csv})", "$__conditionalAll(x, y, $database)"} {
		if got, err := a.expand(in); err == nil {
			t.Errorf("%s: is taken for %s", in, got)
		}
	}
}
