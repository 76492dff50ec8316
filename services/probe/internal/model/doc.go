// SPDX-License-Identifier: Apache-2.0

// Package model reads a configuration in the data model of RFC 6728 (ietf-ipfix-psamp), as
// JSON, and makes a plan of it.
//
//	observationPoint ──▶ selectionProcess ──▶ cache ──▶ exportingProcess
//
// What the model has and the probe can't do is an error, never ignored.
package model
