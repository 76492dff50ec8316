// SPDX-License-Identifier: Apache-2.0

// Package dashboards tests what Grafana and Prometheus are given: it runs every query of the
// dashboards and alert rules as their data source would, on demo data that aggregate and insert
// have written, and every expression on what a running weir exposes.
//
//	demo flows ─ENRICHED▶ aggregate, insert ──▶ ClickHouse ◀── queries of dashboards/*.json
package dashboards
