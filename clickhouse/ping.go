// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

const pollEvery = 50 * time.Millisecond

// await waits for a given server and says what is wrong meanwhile.
func (s *Server) await(ctx context.Context) error {
	for delay := leastDelay; ; delay = min(2*delay, mostDelay) {
		err := s.ping(ctx)
		if err == nil {
			s.setReady()
			<-ctx.Done()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		s.log.Warn("clickhouse does not answer and is asked again", slog.Any("cause", err), slog.Duration("delay", delay))
		wait(ctx, delay)
	}
}

// ping asks the native port, and the HTTP port of a server of ours.
func (s *Server) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	options, err := driver.ParseDSN(s.DSN())
	if err != nil {
		return err
	}
	options.Auth.Database = "" // ours may not exist yet
	conn, err := driver.Open(options)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Ping(ctx); err != nil || s.cfg.DSN != "" {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.cfg.HTTPListen+"/ping", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ping %s: %s", s.cfg.HTTPListen, response.Status)
	}
	return nil
}

// poll asks until the answer is nil, and returns the last one when ctx ends.
func poll(ctx context.Context, ask func(context.Context) error) error {
	for {
		err := ask(ctx)
		if err == nil || !wait(ctx, pollEvery) {
			return err
		}
	}
}

// wait returns false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
