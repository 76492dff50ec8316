// SPDX-License-Identifier: Apache-2.0

// Package migrations brings a ClickHouse database to the tables of this version.
//
//	clickhouse/NNNN_name.sql ─Up─▶ tables, and a row each in schema_migrations
//
// Migrations go forward only, in order, each once. ClickHouse has no transactions over
// tables, so every statement must do no harm when it is repeated: a migration that was
// cut short runs again. A file that has been applied anywhere is never changed; its
// checksum is kept and compared.
package migrations
