// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData makes the data folder and takes it for this process: two NATS servers
// on one folder destroy it, and the server has no lock of its own. The kernel gives
// the lock back when the process ends, however it ends.
func lockData(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data: another weir uses %s (to run a second one set data, WEIR_DATA or --data)", dir)
		}
		return nil, fmt.Errorf("data: lock %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}
