// SPDX-License-Identifier: Apache-2.0

// Package held keeps data sets whose template is not known, until it comes, within
// limits, and the log from which they can be read back.
//
//	set ─▶ Store ─▶ sets whose template came
//	        └▶ Log: held, released ─▶ Store of whoever goes on
//
// What a store does depends on the inputs alone, in their order, so that the log is the
// same whoever writes it.
package held
