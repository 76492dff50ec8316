// SPDX-License-Identifier: Apache-2.0

package dashboards

import "strings"

// units are the values of the variable unit: what is summed up, and the unit of its rate.
var units = []struct{ name, column, unit string }{
	{"bits/s", "bytes_scaled * 8", "bps"},
	{"packets/s", "packets_scaled", "pps"},
	{"flows/s", "flows", "cps"},
}

// columns of tables, which queries name in backquotes.
var columns = []struct {
	name       string
	properties []property
}{
	{"bytes", unit("decbytes")},
	{"packets", unit("short")},
	{"flow count", unit("short")},
	{"events", unit("short")},
	{"speed", unit("bps")},
	{"in", unit("bps")},
	{"out", unit("bps")},
	{"p95 in", unit("bps")},
	{"p95 out", unit("bps")},
	{"counters in", unit("bps")},
	{"counters out", unit("bps")},
	{"change", unit("percentunit")},
	{"loss", unit("percentunit")},
	{"difference in", unit("percentunit")},
	{"difference out", unit("percentunit")},
	{"clock behind", unit("s")},
	{"clock ahead", unit("s")},
	{"least", unit("s")},
	{"median", unit("s")},
	{"most", unit("s")},
	{"share", gauge()},
	{"utilisation in", gauge()},
	{"utilisation out", gauge()},
	{"source", link("the host", "weir-host", "host")},
	{"destination", link("the host", "weir-host", "host")},
	{"peer", link("the host", "weir-host", "host")},
	{"exporter", linkTo("its interfaces", "weir-interfaces", "exporter", "${__data.fields.address}")},
}

func unit(name string) []property { return []property{{"unit", name}} }

func gauge() []property {
	return []property{{"unit", "percentunit"}, {"min", 0}, {"max", 1}, {"custom.cellOptions", object{"type": "gauge", "mode": "basic"}}}
}

// link leads from a value to the dashboard that shows it, with the same time and variables.
func link(title, uid, variable string) []property {
	return linkTo(title, uid, variable, "${__value.raw}")
}

func linkTo(title, uid, variable, value string) []property {
	parts := []string{"${__url_time_range}"}
	for _, name := range shared {
		if name != variable {
			parts = append(parts, "${"+name+":queryparam}")
		}
	}
	return []property{{"links", []object{{
		"title": title, "targetBlank": false, "url": "/d/" + uid + "?" + strings.Join(parts, "&") + "&var-" + variable + "=" + value,
	}}}}
}
