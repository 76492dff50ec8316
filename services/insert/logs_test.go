// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// logs collects log lines. It is safe for concurrent use.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) lines() int { return strings.Count(l.text(), "\n") }

func (l *logs) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}

// await waits for a text in the log.
func (l *logs) await(t testing.TB, text string) {
	t.Helper()
	eventually(t, "log line "+text, func() bool { return strings.Contains(l.text(), text) })
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		case <-tick.C:
		}
	}
}
