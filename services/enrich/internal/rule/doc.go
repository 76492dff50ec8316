// SPDX-License-Identifier: Apache-2.0

// Package rule sets names of exporters, interfaces and flows from what is known of them.
//
//	if: match(interface.description, "^Transit: (\\w+)")   set: {connectivity: transit, provider: $1}
//
// Conditions are expressions of expr-lang, compiled and type-checked once. A rule sets what
// has no value yet, or anything if it overrides; the first rule that sets an attribute wins.
package rule
