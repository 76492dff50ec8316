// SPDX-License-Identifier: Apache-2.0

// Package repo holds the rules of this repository as tests: who may import whom,
// what a service exports, how large a function may be. Each rule says in its
// failure what to do instead. There is no code here but tests.
package repo
