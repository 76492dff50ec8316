// SPDX-License-Identifier: Apache-2.0

// Package rollup says what a rollup is: what flows are summed by, over which windows of
// event time, and what is summed. aggregate sums them, the columns of a rollup's table
// follow from it, and Finals gives readers of ROLLUPS the exact sums of a window.
//
//	Rollup ──Keys, Measures──▶ aggregate ──partial sums──▶ Finals, ClickHouse
package rollup
