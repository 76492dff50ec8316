// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"slices"
	"strings"
)

// board makes a dashboard of panels, which are laid out from left to right.
func board(uid, title, description string, own []object, panels ...*panel) dashboard {
	d := dashboard{
		UID: uid, Title: "Weir: " + title, Description: description, Tags: []string{"weir"},
		SchemaVersion: 41, Editable: true, GraphTooltip: 1, Refresh: "1m", Timezone: "browser",
		Time:        object{"from": "now-1h", "to": "now"},
		Annotations: object{"list": []object{}},
		Links: []object{{
			"type": "dashboards", "title": "Weir", "tags": []string{"weir"}, "asDropdown": true, "icon": "external link",
			"includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "the other dashboards, with the same time and variables", "url": "",
		}},
		Panels: panels,
	}
	d.Templating.List = append(variables(), own...)
	layout(panels)
	return d
}

const (
	gridWidth = 24
	full      = gridWidth
	half      = gridWidth / 2
	third     = gridWidth / 3
	quarter   = gridWidth / 4
)

// layout gives the panels their numbers and places.
func layout(panels []*panel) {
	x, y, height := 0, 0, 0
	for i, p := range panels {
		p.ID = i + 1
		if x+p.GridPos.W > gridWidth {
			x, y, height = 0, y+height, 0
		}
		p.GridPos.X, p.GridPos.Y = x, y
		x, height = x+p.GridPos.W, max(height, p.GridPos.H)
	}
}

// row begins a group of panels.
func row(title string) *panel {
	open := false
	return &panel{Type: "row", Title: title, GridPos: position{W: full, H: 1}, Collapsed: &open, Panels: []*panel{}}
}

// newPanel is a panel with one query of ClickHouse.
func newPanel(kind, title, description string, width, height int, format int, sql string) *panel {
	p := &panel{
		Type: kind, Title: title, Description: description, GridPos: position{W: width, H: height}, Datasource: clickhouse(),
		FieldConfig: &fields{Defaults: object{}, Overrides: columnsOf(sql)},
		Targets: []target{{
			RefID: "A", Datasource: clickhouse(), EditorType: "sql", Format: &format,
			QueryType: map[int]string{asTimeSeries: "timeseries", asTable: "table"}[format], RawSQL: sql,
		}},
	}
	return p
}

// stat shows the numbers of one row, large.
func stat(title, description string, width int, sql string) *panel {
	p := newPanel("stat", title, description, width, 4, asTable, sql)
	p.Options = statOptions()
	return p
}

func statOptions() object {
	return object{
		"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto", "wideLayout": true,
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
}

// lines shows a query of the columns time, series and one of numbers as lines.
func lines(title, description string, width int, sql string) *panel {
	p := newPanel("timeseries", title, description, width, 9, asTimeSeries, sql)
	p.FieldConfig.Defaults = object{"min": 0, "displayName": "${__field.labels.series}", "custom": lineStyle(10, "none")}
	p.Options = lineOptions()
	return p
}

// areas is lines, stacked: together they are the whole.
func areas(title, description string, width int, sql string) *panel {
	p := lines(title, description, width, sql)
	p.FieldConfig.Defaults["custom"] = lineStyle(60, "normal")
	return p
}

func lineStyle(fill int, stacking string) object {
	return object{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": fill, "showPoints": "never", "spanNulls": false,
		"stacking": object{"mode": stacking, "group": "A"},
	}
}

func lineOptions() object {
	return object{
		"legend":  object{"showLegend": true, "displayMode": "table", "placement": "bottom", "calcs": []string{"mean", "max", "lastNotNull"}},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
}

// table shows rows.
func table(title, description string, width int, sql string) *panel {
	p := newPanel("table", title, description, width, 10, asTable, sql)
	p.FieldConfig.Defaults = object{"custom": object{"align": "auto", "filterable": true}}
	p.Options = object{"showHeader": true, "cellHeight": "sm"}
	return p
}

// worldMap shows rows with the columns country and bytes, at the country's place.
func worldMap(title, description string, width int, sql string) *panel {
	p := newPanel("geomap", title, description, width, 14, asTable, sql)
	p.Options = object{
		"view":     object{"id": "zero", "lat": 20, "lon": 0, "zoom": 1.5, "allLayers": true},
		"basemap":  object{"type": "default", "name": "base", "config": object{}},
		"controls": object{"showZoom": true, "mouseWheelZoom": false, "showAttribution": true, "showScale": false},
		"tooltip":  object{"mode": "details"},
		"layers": []object{{
			"type": "markers", "name": "traffic", "tooltip": true,
			"location": object{"mode": "lookup", "lookup": "country", "gazetteer": "public/gazetteer/countries.json"},
			"config": object{"showLegend": false, "style": object{
				"size": object{"field": "bytes", "fixed": 5, "min": 4, "max": 36}, "color": object{"fixed": "dark-blue"}, "opacity": 0.5,
				"symbol":     object{"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
				"text":       object{"mode": "field", "field": "country"},
				"textConfig": object{"fontSize": 11, "offsetX": 0, "offsetY": 0, "textAlign": "center", "textBaseline": "middle"},
			}},
		}},
	}
	return p
}

// expr is an expression of Prometheus and the name of its series.
type expr struct{ query, legend string }

// metric shows expressions of Prometheus as lines.
func metric(title, description, unit string, width int, exprs ...expr) *panel {
	p := &panel{
		Type: "timeseries", Title: title, Description: description, GridPos: position{W: width, H: 8}, Datasource: prometheus(),
		FieldConfig: &fields{Defaults: object{"unit": unit, "min": 0, "custom": lineStyle(10, "none")}, Overrides: []override{}},
		Options:     lineOptions(),
	}
	for i, e := range exprs {
		p.Targets = append(p.Targets, target{
			RefID: string(rune('A' + i)), Datasource: prometheus(), Expr: e.query, LegendFormat: e.legend, Range: true,
		})
	}
	return p
}

// number shows one expression of Prometheus as its newest value, red from a limit on if that is not 0.
func number(title, description, unit string, limit float64, query string) *panel {
	p := metric(title, description, unit, quarter, expr{query, title})
	steps := []object{{"color": "green", "value": nil}}
	if limit > 0 {
		steps = append(steps, object{"color": "red", "value": limit})
	}
	p.Type, p.GridPos.H, p.Options = "stat", 4, statOptions()
	p.FieldConfig.Defaults = object{"unit": unit, "thresholds": object{"mode": "absolute", "steps": steps}}
	p.Targets[0].Range, p.Targets[0].Instant = false, true
	return p
}

// columnsOf says how the columns of a query are shown that have a unit or lead somewhere: they
// have the same name, and so the same form, on all dashboards.
func columnsOf(sql string) []override {
	all := []override{}
	for _, c := range columns {
		if strings.Contains(sql, "`"+c.name+"`") {
			all = append(all, override{object{"id": "byName", "options": c.name}, slices.Clone(c.properties)})
		}
	}
	if strings.Contains(sql, "${unit:text}`") {
		for _, u := range units { // a series of a graph is matched with its label behind
			all = append(all, override{object{"id": "byRegexp", "options": "/" + strings.ReplaceAll(u.name, "/", `\/`) + "/"}, []property{{"unit", u.unit}}})
		}
	}
	return all
}
