// SPDX-License-Identifier: Apache-2.0

package dashboards

// object is a part of Grafana's JSON that is only written, never read.
type object = map[string]any

// dashboard is Grafana's dashboard model. Its version 41 is that of Grafana 12.0; later ones
// read it too.
type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Editable      bool     `json:"editable"`
	GraphTooltip  int      `json:"graphTooltip"`
	Refresh       string   `json:"refresh"`
	Time          object   `json:"time"`
	Timezone      string   `json:"timezone"`
	Links         []object `json:"links"`
	Annotations   object   `json:"annotations"`
	Templating    struct {
		List []object `json:"list"`
	} `json:"templating"`
	Panels []*panel `json:"panels"`
}

type panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	GridPos     position   `json:"gridPos"`
	Datasource  datasource `json:"datasource,omitzero"`
	FieldConfig *fields    `json:"fieldConfig,omitempty"`
	Options     object     `json:"options,omitempty"`
	Targets     []target   `json:"targets,omitempty"`
	Collapsed   *bool      `json:"collapsed,omitempty"`
	Panels      []*panel   `json:"panels,omitzero"`
}

type position struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type fields struct {
	Defaults  object     `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type override struct {
	Matcher    object     `json:"matcher"`
	Properties []property `json:"properties"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// target is a query of a panel: rawSql for ClickHouse, expr for Prometheus.
type target struct {
	RefID      string     `json:"refId"`
	Datasource datasource `json:"datasource"`

	EditorType string `json:"editorType,omitempty"`
	Format     *int   `json:"format,omitempty"`
	QueryType  string `json:"queryType,omitempty"`
	RawSQL     string `json:"rawSql,omitempty"`

	Expr         string `json:"expr,omitempty"`
	LegendFormat string `json:"legendFormat,omitempty"`
	Instant      bool   `json:"instant,omitempty"`
	Range        bool   `json:"range,omitempty"`
}

// The data sources that deploy/compose/grafana/datasources.yaml makes.
func clickhouse() datasource { return datasource{"grafana-clickhouse-datasource", "clickhouse"} }

func prometheus() datasource { return datasource{"prometheus", "prometheus"} }

// Forms in which the ClickHouse data source returns a result.
const (
	asTimeSeries = 0
	asTable      = 1
)
