// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"
)

func TestScreenRewritesTheStatusOnATerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := &screen{out: &b, log: &b, live: true, columns: func() int { return 9 }}
	s.status("one")
	s.status("two")
	if _, err := s.Write([]byte("a log line\n")); err != nil {
		t.Fatal(err)
	}
	s.status("longer than the terminal")
	s.leave()
	const want = "one" + eraseLine + "two" + eraseLine + "a log line\ntwo" + eraseLine + "longer t\n"
	if b.String() != want {
		t.Errorf("terminal got %q, want %q", b.String(), want)
	}
}

func TestScreenWritesLinesElsewhere(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	s := &screen{out: &out, log: &log}
	s.status("one")
	if _, err := s.Write([]byte("a log line\n")); err != nil {
		t.Fatal(err)
	}
	s.status("two")
	s.leave()
	if out.String() != "one\ntwo\n" || log.String() != "a log line\n" {
		t.Errorf("output is %q, log is %q", out.String(), log.String())
	}
}
