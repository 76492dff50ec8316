// SPDX-License-Identifier: Apache-2.0

// Package netflow5 decodes the versions of NetFlow without templates: 1, 5, 7 and
// the aggregation schemes of 8. Their records are described as templates that
// never change.
package netflow5
