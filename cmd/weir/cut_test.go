// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"net"
	"sync"
	"testing"
)

// line is a TCP proxy in front of a server, whose connections can be cut or stand still.
type line struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	moves *sync.Cond
	down  bool // connections are cut, and new ones too
	still bool // connections stand, and nothing goes through
	conns map[net.Conn]bool
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &line{listener: l, to: to, conns: map[net.Conn]bool{}}
	p.moves = sync.NewCond(&p.mu)
	t.Cleanup(func() {
		_ = l.Close()
		p.set(true, false)
	})
	go p.serve()
	return p
}

func (l *line) address() string { return l.listener.Addr().String() }

// set cuts all connections, or makes them stand still, or neither.
func (l *line) set(down, still bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down, l.still = down, still
	if down {
		for c := range l.conns {
			_ = c.Close()
		}
		clear(l.conns)
	}
	l.moves.Broadcast()
}

func (l *line) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.to)
		if err != nil || !l.add(client, server) {
			_ = client.Close()
			if server != nil {
				_ = server.Close()
			}
			continue
		}
		go l.copy(server, client)
		go l.copy(client, server)
	}
}

// add takes a pair of connections, unless the line is down.
func (l *line) add(client, server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.down {
		l.conns[client], l.conns[server] = true, true
	}
	return !l.down
}

// copy passes on what comes until one of the two ends.
func (l *line) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		for l.still && !l.down {
			l.moves.Wait()
		}
		l.mu.Unlock()
		if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
			return
		}
	}
}
