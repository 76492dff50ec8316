// SPDX-License-Identifier: Apache-2.0

package netflow5

import "github.com/weirflow/weir/services/decode/internal/template"

// Layout returns the octets of the header and the fields of a record of a version, for version 8 of
// an aggregation scheme; no fields where there is no such format. The caller must not change them.
func Layout(version uint16, scheme byte) (header int, fields []template.Field) {
	f := formats[version]
	if version == 8 {
		f = schemes[scheme]
	}
	if f == nil {
		return 0, nil
	}
	return f.header, f.fields
}
