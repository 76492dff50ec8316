// SPDX-License-Identifier: Apache-2.0

// Package netflow5 decodes the versions of NetFlow without templates: 5.
package netflow5
