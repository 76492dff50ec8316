// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameSignal is how soon after the first a second signal counts as the same one: a
// terminal signals the whole group, and a supervisor in it passes it on as well.
const sameSignal = 500 * time.Millisecond

// withSignals ends the returned context at the first SIGINT or SIGTERM and exits
// the process with 1 at the second. release gives the signals back.
func withSignals(ctx context.Context, log *slog.Logger) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	released := make(chan struct{})
	go func() {
		var first time.Time
		for {
			select {
			case <-released:
				return
			case s := <-signals:
				switch {
				case first.IsZero():
					first = time.Now()
					log.Info("stopping", "signal", s.String())
					cancel()
				case time.Since(first) > sameSignal:
					log.Error("second signal, exiting at once", "signal", s.String())
					os.Exit(exitFailed)
				}
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(released)
		cancel()
	}
}
