// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
)

// Sources are where Load takes settings from besides the flags. The zero value
// is flags only.
type Sources struct {
	// File is the path of the YAML file; empty means none.
	File string
	// Strict makes a top-level section that no struct has a problem. A single
	// service leaves it off: one file drives all of them.
	Strict bool
	// Env looks a variable up, as os.LookupEnv does; nil means none.
	Env func(name string) (string, bool)
}

// ConfigError is a configuration that a process can't start with.
type ConfigError struct {
	// Problems has one line each, beginning with where it is and the full key.
	Problems []string
}

func (e *ConfigError) Error() string { return strings.Join(e.Problems, "\n") }

// Load fills the structs: file over default, environment over file, flag over
// environment. Then it calls Validate on every section that has it. It returns
// all problems at once, as a *ConfigError.
func (s *Settings) Load(src Sources) error {
	var l loader
	l.file(s, src)
	for _, leaf := range s.leaves {
		if src.Env != nil {
			if text, ok := src.Env(envName(leaf.key)); ok {
				l.text(leaf, envName(leaf.key)+": ", text)
			}
		}
		if leaf.flagSet {
			l.text(leaf, "--", leaf.flagText)
		}
		if leaf.secret {
			l.expand(leaf, src)
		}
	}
	l.expandLists(s.sections, src)
	for _, f := range s.sections {
		if !l.failed[f.key] {
			l.validate(f)
		}
	}
	if len(l.problems) > 0 {
		return &ConfigError{Problems: l.problems}
	}
	return nil
}

// loader gathers the problems of one Load.
type loader struct {
	problems []string
	failed   map[string]bool // sections that have a problem already
}

// problem notes what is wrong with key; where tells its source.
func (l *loader) problem(where, key, text string) {
	l.problems = append(l.problems, where+key+": "+text)
	if l.failed == nil {
		l.failed = map[string]bool{}
	}
	section, _, _ := strings.Cut(key, ".")
	l.failed[section] = true
}

func (l *loader) text(leaf *leaf, where, text string) {
	if err := setText(leaf.value, leaf.key, text); err != nil {
		l.problem(where, leaf.key, err.Error())
	}
}

var variable = regexp.MustCompile(`\$\{(\w+|file:[^}]+)\}`)

// expand replaces ${VAR} and ${file:PATH} in a secret, so that files can be shared without it.
func (l *loader) expand(leaf *leaf, src Sources) {
	text := formatText(leaf.value, leaf.key)
	expanded := variable.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		if path, ok := strings.CutPrefix(name, "file:"); ok {
			text, err := os.ReadFile(path)
			if err != nil {
				l.problem("", leaf.key, err.Error())
			}
			return strings.TrimSpace(string(text))
		}
		if src.Env != nil {
			if value, ok := src.Env(name); ok {
				return value
			}
		}
		l.problem("", leaf.key, "the environment has no "+name)
		return match
	})
	if expanded != text {
		l.text(leaf, "", expanded)
	}
}

// expandLists expands the secrets in lists of sections, which only a file can fill.
func (l *loader) expandLists(fields []field, src Sources) {
	for _, f := range fields {
		t := f.value.Type()
		switch {
		case isSection(t):
			l.expandLists(fieldsOf(f.value, f.key+"."), src)
		case t.Kind() == reflect.Slice && isSection(t.Elem()):
			for i := range f.value.Len() {
				item := fieldsOf(f.value.Index(i), fmt.Sprintf("%s[%d].", f.key, i))
				for _, sub := range item {
					if sub.secret {
						l.expand(&leaf{field: sub}, src)
					}
				}
				l.expandLists(item, src)
			}
		}
	}
}

// validate calls Validate on f and the sections in it.
func (l *loader) validate(f field) {
	if !isSection(f.value.Type()) {
		return
	}
	if v, ok := reflect.TypeAssert[interface{ Validate() error }](f.value.Addr()); ok {
		for _, err := range flatten(v.Validate()) {
			key, text, named := strings.Cut(err.Error(), ": ")
			if !named {
				key, text = f.key, key
			}
			l.problem("", qualify(f.key, key), text)
		}
		return
	}
	for _, sub := range fieldsOf(f.value, f.key+".") {
		l.validate(sub)
	}
}

// qualify puts the section's key before a key that Validate named relative to it.
func qualify(section, key string) string {
	if key == section || strings.HasPrefix(key, section+".") {
		return key
	}
	return section + "." + key
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

func (l *loader) file(s *Settings, src Sources) {
	if src.File == "" {
		return
	}
	data, err := os.ReadFile(src.File)
	if err != nil {
		cause := err
		if pathErr, ok := errors.AsType[*os.PathError](err); ok {
			cause = pathErr.Err
		}
		l.problem("", "config", fmt.Sprintf("read %s: %v", src.File, cause))
		return
	}
	r := fileReader{loader: l, name: src.File}
	r.read(data, s.sections, src.Strict)
}
