// SPDX-License-Identifier: Apache-2.0

// Package aggregate sums flows up by event-time windows and keys.
//
//	ENRICHED ──add──▶ windows ──flush──▶ ROLLUPS
//
// It sends partial sums: every few seconds, when its memory is used up, or when the
// watermark closes a window, it appends what it has summed since the last time, and
// forgets it. Sums add up, so whoever adds all partials of a window and key has the exact
// result, in any order of arrival; a late flow is one more partial. Nothing is kept
// between flushes but the watermark and a guess at the greatest keys, which no sum depends on,
// so a crash costs a re-read of seconds.
//
// window.go, the core, knows neither the clock nor the bus.
package aggregate
