// SPDX-License-Identifier: Apache-2.0

package template

import "github.com/weirflow/weir/services/decode/internal/refusal"

// systemInit is the element systemInitTimeMilliseconds.
const systemInit = 160

// Options reads one record of options data, with which data begins, into the domain and
// returns its octets; 0 when data ends before the record does.
func (x *Exporter) Options(d *Domain, t *Template, data []byte, refused *refusal.Counts) int {
	var p parameters
	var init uint64
	at := 0
	for _, f := range t.Fields {
		size := int(f.Length)
		if f.Length == Variable {
			var head int
			if head, size = variable(data, at); head == 0 {
				return 0
			}
			at += head
		}
		if at+size > len(data) {
			return 0
		}
		if f.PEN == 0 && size >= 1 && size <= 8 {
			v := number(data[at : at+size])
			if f.ID == systemInit {
				init = v
			}
			p.set(f.ID, v)
		}
		at += size
	}
	changed, beyond := x.learn(d, &p)
	if beyond {
		refused.Add(refusal.SamplerLimit)
	}
	if init != 0 && init != d.initMs {
		d.initMs, changed = init, true
	}
	x.changed = x.changed || changed
	return at
}
