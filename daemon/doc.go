// SPDX-License-Identifier: Apache-2.0

// Package daemon is what a Weir process is: settings, logs, metrics, health,
// signals and an orderly end. It knows nothing of NATS or of any service.
//
//	default < file < environment < flag ──▶ Settings ──▶ Process ──▶ Runner
//
// A service's main calls [Main] with a struct of configuration sections and a
// function that builds its [Runner]. Every leaf of the struct can be set under
// its key: ingest.listen is `ingest: {listen: ...}` in the file,
// WEIR_INGEST_LISTEN in the environment and --ingest.listen as a flag; the
// tag usage:"..." explains it and secret:"true" hides it. Types: string, bool,
// numbers (sizes like 8MiB where the key ends in _bytes), time.Duration, every
// encoding.TextUnmarshaler, and lists of these (comma separated outside the
// file). Lists of structs and maps come from the file only.
//
// A larger program puts [Settings], [Process] and [Group] together itself.
package daemon
