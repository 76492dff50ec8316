// SPDX-License-Identifier: Apache-2.0

// Package child runs a process that never outlives this one.
package child

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Child is a running process.
type Child struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start runs argv in a process group of its own, so that a Ctrl-C on the terminal
// leaves its end to Stop. Both its outputs go to output, which the caller closes; it
// inherits the open files keep.
func Start(argv []string, output *os.File, keep ...*os.File) (*Child, error) {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // Stop ends it in two steps
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = output, output, keep
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c := &Child{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the signal when the thread that forked ends: it must
		// live as long as the child does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // Status says how
		close(c.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// Exited is closed when the process has ended and is reaped.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Status says how the process ended, once Exited is closed.
func (c *Child) Status() string { return c.cmd.ProcessState.String() }

// PID is the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Kill ends the process at once and waits for its end.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill() // an error says that it has ended
	<-c.exited
}

// Stop asks the process to end, and kills it if it has not after patience.
func (c *Child) Stop(patience time.Duration) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-c.exited:
	case <-ctx.Done():
		c.Kill()
	}
}

// LastWords is the line of a log that tells best why its process ended: the last
// exception of ClickHouse, else the last line, else that there is none.
func LastWords(path string) string {
	last := "it said nothing"
	f, err := os.Open(path)
	if err != nil {
		return last
	}
	defer f.Close()
	const (
		most      = 16 << 10
		exception = "DB::Exception"
	)
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, 2)
	}
	buf := make([]byte, most)
	n, _ := f.Read(buf)
	for line := range strings.Lines(string(buf[:n])) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "Logging ") { // to which file
			continue
		}
		if strings.Contains(line, exception) || !strings.Contains(last, exception) {
			last = line
		}
	}
	return last
}
