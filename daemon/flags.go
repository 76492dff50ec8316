// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"reflect"

	"github.com/spf13/pflag"
)

// Flags adds a flag --section.key for every setting to fs, with its present
// value as the default shown.
func (s *Settings) Flags(fs *pflag.FlagSet) {
	for _, l := range s.leaves {
		f := fs.VarPF((*flagValue)(l), l.key, "", l.usage)
		if l.value.Kind() == reflect.Bool {
			f.NoOptDefVal = "true"
		}
	}
}

// flagValue is a leaf as a pflag.Value. Set checks the text, so that a wrong
// flag is reported with the others by Load and not as a usage error.
type flagValue leaf

func (v *flagValue) Set(text string) error {
	v.flagText, v.flagSet = text, true
	return nil
}

func (v *flagValue) String() string {
	switch {
	case v.flagSet:
		return v.flagText
	case !v.value.IsValid() || v.secret:
		return ""
	default:
		return formatText(v.value, v.key)
	}
}

// Type is the word that help shows for the value.
func (v *flagValue) Type() string {
	t := v.value.Type()
	switch {
	case t.Kind() == reflect.Bool:
		return "bool" // pflag hides the word for a flag that needs no value
	case t.Kind() == reflect.Slice && !readsText(t):
		return "list"
	case t == durationType:
		return "duration"
	case isSize(v.key):
		return "size"
	case readsText(t) || t.Kind() == reflect.String:
		return "text"
	default:
		return "number"
	}
}
