// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"slices"
	"sync"
)

// exits are functions to call at the end, last added first.
type exits struct {
	mu    sync.Mutex
	calls []func()
}

func (e *exits) add(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, f)
}

func (e *exits) call() {
	e.mu.Lock()
	calls := e.calls
	e.calls = nil
	e.mu.Unlock()
	for _, f := range slices.Backward(calls) {
		f()
	}
}
