// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// Settings are the fields of one or more configuration structs, each under its
// full key. They point into the structs: Load fills these in place.
type Settings struct {
	sections []field // the top-level fields of all structs, in order
	leaves   []*leaf // what flags and the environment can set
}

// field is one field of a configuration struct, a section or a leaf.
type field struct {
	key    string // from the top: "ingest.listen"
	name   string // in its section: "listen"
	usage  string
	secret bool
	value  reflect.Value
}

// leaf is a field that text can set. A flag only notes its text; Load applies
// it after the file and the environment.
type leaf struct {
	field
	flagText string
	flagSet  bool
}

// NewSettings collects the fields of the structs that cfgs point to. It panics
// when a struct has a field that no setting can fill, or two have the same key.
func NewSettings(cfgs ...any) *Settings {
	s := &Settings{}
	for _, cfg := range cfgs {
		v := reflect.ValueOf(cfg)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			panic(fmt.Sprintf("daemon: settings need a pointer to a struct, not %T", cfg))
		}
		s.sections = append(s.sections, fieldsOf(v.Elem(), "")...)
	}
	seen := map[string]bool{}
	s.collect(s.sections, seen)
	return s
}

func (s *Settings) collect(fields []field, seen map[string]bool) {
	for _, f := range fields {
		env := envName(f.key)
		if seen[env] {
			panic("daemon: two settings are called " + f.key)
		}
		seen[env] = true
		switch {
		case isSection(f.value.Type()):
			s.collect(fieldsOf(f.value, f.key+"."), seen)
		case isText(f.value.Type()):
			s.leaves = append(s.leaves, &leaf{field: f})
		case !isFileOnly(f.value.Type()):
			panic(fmt.Sprintf("daemon: setting %s has type %s, which no text can fill", f.key, f.value.Type()))
		}
	}
}

// fieldsOf lists the tagged fields of struct v. The tag yaml:"-" leaves a field
// out, yaml:",inline" takes the fields of an embedded struct as v's own.
func fieldsOf(v reflect.Value, prefix string) []field {
	var fields []field
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		name, option, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !sf.IsExported():
		case option == "inline":
			fields = append(fields, fieldsOf(v.Field(i), prefix)...)
		case name == "":
			panic(fmt.Sprintf("daemon: field %s of %s has no yaml tag", sf.Name, v.Type()))
		default:
			fields = append(fields, field{
				key:    prefix + name,
				name:   name,
				usage:  sf.Tag.Get("usage"),
				secret: sf.Tag.Get("secret") == "true",
				value:  v.Field(i),
			})
		}
	}
	return fields
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
)

func readsText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textUnmarshaler) }

// isSection reports whether t is a struct of further settings.
func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct && !readsText(t) }

// isText reports whether one line of text can fill a t.
func isText(t reflect.Type) bool {
	if readsText(t) {
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	case reflect.Slice:
		return t.Elem().Kind() != reflect.Slice && isText(t.Elem())
	default:
		return false
	}
}

// isFileOnly reports whether t is a list of structs or a map from text, which
// only the file can express.
func isFileOnly(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice:
		return isSection(t.Elem())
	case reflect.Map:
		return t.Key().Kind() == reflect.String && (isText(t.Elem()) || isSection(t.Elem()))
	default:
		return false
	}
}

func envName(key string) string {
	return "WEIR_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
