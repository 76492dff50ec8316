// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// health answers /readyz: ready once the process is built, until it stops, while
// every check passes.
type health struct {
	mu     sync.Mutex
	state  phase
	checks []check
}

type phase int

const (
	starting phase = iota
	running
	stopping
)

func (p phase) String() string { return [...]string{"starting", "running", "stopping"}[p] }

type check struct {
	name   string
	ready  func() error
	detail func() string
}

func (h *health) add(c check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, c)
}

func (h *health) started()  { h.set(running) }
func (h *health) stopping() { h.set(stopping) }

func (h *health) set(p phase) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = p
}

// serveReady writes one line per check, and 503 when any fails.
func (h *health) serveReady(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	state, checks := h.state, h.checks
	h.mu.Unlock()

	var detail strings.Builder
	fmt.Fprintf(&detail, "process: %v\n", state)
	ready := state == running
	for _, c := range checks {
		answer := "ready"
		if err := c.ready(); err != nil {
			ready, answer = false, err.Error()
		}
		if d := c.detail(); d != "" {
			answer += "; " + d
		}
		fmt.Fprintf(&detail, "%s: %s\n", c.name, answer)
	}
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprint(w, detail.String())
}
