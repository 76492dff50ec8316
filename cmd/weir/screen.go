// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// screen shows a status line under a log that goes on. On a terminal the line is
// rewritten in place; elsewhere each status is a line of its own. It is safe for
// concurrent use.
type screen struct {
	mu       sync.Mutex
	out, log io.Writer
	live     bool
	columns  func() int
	line     string // what stands on the terminal's last line
}

func newScreen(out, log *os.File) *screen {
	fd := int(out.Fd())
	return &screen{out: out, log: log, live: term.IsTerminal(fd), columns: func() int {
		columns, _, err := term.GetSize(fd)
		if err != nil {
			return 80
		}
		return columns
	}}
}

const eraseLine = "\r\x1b[K"

// Write writes to the log, above the status line.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	n, err := s.log.Write(p)
	s.draw()
	return n, err
}

// print writes text to the output, above the status line.
func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	fmt.Fprint(s.out, text)
	s.draw()
}

// status shows a new status line.
func (s *screen) status(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.live {
		fmt.Fprintln(s.out, line)
		return
	}
	s.erase()
	s.line = line
	s.draw()
}

// leave ends the status line, which stays where it is.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != "" {
		fmt.Fprintln(s.out)
		s.line = ""
	}
}

func (s *screen) erase() {
	if s.line != "" {
		fmt.Fprint(s.out, eraseLine)
	}
}

// draw shows what of the line fits: one that wraps can't be erased.
func (s *screen) draw() {
	if s.line == "" {
		return
	}
	line := []rune(s.line)
	if width := s.columns() - 1; len(line) > width && width > 0 {
		line = line[:width]
	}
	fmt.Fprint(s.out, string(line))
}
