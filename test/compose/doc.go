// SPDX-License-Identifier: Apache-2.0

// Package compose holds the tests of deploy/compose/compose.yaml, with the library that docker compose
// reads it with. It is a module of its own for that library's sake.
package compose
