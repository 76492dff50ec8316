// SPDX-License-Identifier: Apache-2.0

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program of a test that can be killed, suspended and started again. It ends with
// the test. Its methods may be called from any goroutine, one at a time.
type process struct {
	name string
	argv []string
	log  lockedBuffer

	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan struct{}
	asked   bool     // somebody ended it
	strange []string // ends that nobody asked for
}

func newProcess(t testing.TB, name string, argv ...string) *process {
	t.Helper()
	p := &process{name: name, argv: argv}
	t.Cleanup(func() {
		p.kill()
		if dir := os.Getenv("WEIR_TEST_LOGS"); dir != "" {
			_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%p.log", name, p)), []byte(p.log.tail(8<<20)), 0o600)
		} else if t.Failed() {
			t.Logf("%s said:\n%s", name, p.log.tail(2000))
		}
	})
	return p
}

// start starts the program.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, exited := make(chan error), make(chan struct{})
	go func() {
		// The kernel sends the signal when the thread that forked ends: it must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait()
		p.mu.Lock()
		if !p.asked {
			p.strange = append(p.strange, fmt.Sprintf("%s ended by itself: %s", p.name, cmd.ProcessState))
		}
		p.mu.Unlock()
		close(exited)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.exited, p.asked = cmd, exited, false
	return nil
}

// kill ends the program with SIGKILL, also a suspended one.
func (p *process) kill() { p.end(syscall.SIGKILL) }

// stop ends the program as a clean stop does, and kills it if that takes too long.
func (p *process) stop() {
	p.end(syscall.SIGTERM)
}

func (p *process) end(sig syscall.Signal) {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.asked = true
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(sig)
	select {
	case <-exited:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-exited
	}
}

// suspend stops the program as if its machine stood still, resume lets it go on.
func (p *process) suspend() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) resume()  { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// ends returns the ends of the program that nobody asked for.
func (p *process) ends() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.strange
}
