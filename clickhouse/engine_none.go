// SPDX-License-Identifier: Apache-2.0

//go:build noengine

package clickhouse

import "errors"

// session can't run the engine: loading a library makes a program depend on the C library.
func session(string, []string) error {
	return errors.New("this program was built without the engine (build tag noengine)")
}
