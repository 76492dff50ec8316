// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	levelType    = reflect.TypeFor[slog.Level]()
)

// examples show what a type's text looks like, for error messages.
var examples = map[reflect.Type]string{
	durationType:                      `"30s" or "5m"`,
	reflect.TypeFor[netip.Prefix]():   `"10.0.0.0/8"`,
	reflect.TypeFor[netip.Addr]():     `"10.0.0.1"`,
	reflect.TypeFor[netip.AddrPort](): `"10.0.0.1:2055"`,
	levelType:                         `"debug", "info", "warn" or "error"`,
}

// setText fills v, the setting called key, from text. On an error v is unchanged.
func setText(v reflect.Value, key, text string) error {
	fresh := reflect.New(v.Type()).Elem()
	if err := parseText(fresh, key, text); err != nil {
		return wantError(v.Type(), key, text, err)
	}
	v.Set(fresh)
	return nil
}

func parseText(v reflect.Value, key, text string) error {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return u.UnmarshalText([]byte(text))
	}
	if v.Type() == durationType {
		d, err := time.ParseDuration(text)
		v.SetInt(int64(d))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(f)
		return err
	case reflect.Slice:
		return parseList(v, key, text)
	default:
		return parseWhole(v, key, text)
	}
}

func parseList(v reflect.Value, key, text string) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for item := range strings.SplitSeq(text, ",") {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := setText(e, key, strings.TrimSpace(item)); err != nil {
			return err
		}
		v.Set(reflect.Append(v, e))
	}
	return nil
}

func parseWhole(v reflect.Value, key, text string) error {
	unit := int64(1)
	if isSize(key) {
		text, unit = cutUnit(text)
	}
	if v.CanUint() {
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err == nil && v.OverflowUint(n*uint64(unit)) || n*uint64(unit)/uint64(unit) != n {
			err = strconv.ErrRange
		}
		v.SetUint(n * uint64(unit))
		return err
	}
	n, err := strconv.ParseInt(text, 10, v.Type().Bits())
	if err == nil && v.OverflowInt(n*unit) || n*unit/unit != n {
		err = strconv.ErrRange
	}
	v.SetInt(n * unit)
	return err
}

// sizeUnits are the suffixes of a size, largest first.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// isSize reports whether the setting called key counts bytes.
func isSize(key string) bool { return strings.HasSuffix(key, "_bytes") }

func cutUnit(text string) (number string, unit int64) {
	for _, u := range sizeUnits {
		if number, ok := strings.CutSuffix(text, u.suffix); ok {
			return strings.TrimSpace(number), u.bytes
		}
	}
	return text, 1
}

// wantError says what the text is and what it should look like.
func wantError(t reflect.Type, key, text string, cause error) error {
	if _, known := errors.AsType[*textError](cause); known {
		return cause // an item of a list has said it already
	}
	want, ok := examples[t]
	switch {
	case ok:
	case t.Kind() == reflect.Bool:
		want = "true or false"
	case readsText(t) || t.Kind() == reflect.Slice:
		return &textError{fmt.Sprintf("is %q: %v", text, cause)}
	case isSize(key):
		want = `a size such as "512KiB" or "8MiB"`
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		want = "a number"
	default:
		want = fmt.Sprintf("a whole number that fits in %d bits", t.Bits())
	}
	return &textError{fmt.Sprintf("is %q, want %s", text, want)}
}

type textError struct{ text string }

func (e *textError) Error() string { return e.text }

// formatText writes v, the setting called key, so that parseText reads it back.
func formatText(v reflect.Value, key string) string {
	if v.Type().Implements(textMarshaler) {
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return ""
		}
		if v.Type() == levelType {
			return strings.ToLower(string(text))
		}
		return string(text)
	}
	switch {
	case v.Type() == durationType:
		return formatDuration(time.Duration(v.Int()))
	case v.Kind() == reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = formatText(v.Index(i), key)
		}
		return strings.Join(items, ",")
	case isSize(key) && v.CanInt():
		return formatSize(v.Int())
	default:
		return fmt.Sprint(v.Interface())
	}
}

// formatDuration drops the zero units of d: 5m, not 5m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}
