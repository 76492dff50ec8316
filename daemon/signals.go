// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// withSignals ends the returned context at the first SIGINT or SIGTERM and exits
// the process with 1 at the second. release gives the signals back.
func withSignals(ctx context.Context, log *slog.Logger) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	released := make(chan struct{})
	go func() {
		for {
			select {
			case <-released:
				return
			case s := <-signals:
				if ctx.Err() != nil {
					log.Error("second signal, exiting at once", "signal", s.String())
					os.Exit(exitFailed)
				}
				log.Info("stopping", "signal", s.String())
				cancel()
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(released)
		cancel()
	}
}
