// SPDX-License-Identifier: Apache-2.0

// Package dashboards is the one description of Weir's Grafana dashboards and of Grafana's alert
// rules on ClickHouse. `make generate` writes what Grafana reads:
//
//	description ──▶ dashboards/*.json, deploy/compose/grafana/alerts.yaml
//
// A dashboard is a file of this package; panels.go has the kinds of panels, variables.go the
// variables that all dashboards share, sql.go what their queries have in common.
package dashboards
