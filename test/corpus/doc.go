// SPDX-License-Identifier: Apache-2.0

// Package corpus finds captures of real exporters for tests. They are not part of the
// repository: the variable WEIR_CORPUS names their folder, ../shared/corpus by default.
package corpus
