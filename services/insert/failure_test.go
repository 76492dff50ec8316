// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestOnlyWhatNoRetryMendsIsPermanent(t *testing.T) {
	t.Parallel()
	exception := func(code int32) error { return fmt.Errorf("send: %w", &clickhouse.Exception{Code: code}) }
	for _, c := range []struct {
		name      string
		err       error
		want      reason
		permanent bool
	}{
		{"refused connection", syscall.ECONNREFUSED, away, false},
		{"reset connection", syscall.ECONNRESET, away, false},
		{"end of the connection", io.EOF, away, false},
		{"no answer in time", context.DeadlineExceeded, away, false},
		{"too many parts", exception(252), overloaded, false},
		{"memory limit", exception(241), overloaded, false},
		{"too many queries", exception(202), overloaded, false},
		{"table that is read only", exception(242), away, false},
		{"unknown table", exception(60), schema, false},
		{"missing column", fmt.Errorf("read: %w", &schemaError{"x"}), schema, false},
		{"wrong password", exception(516), denied, false},
		{"an exception that is not in the list", exception(49), other, false},
		{"violated constraint", exception(469), other, true},
		{"value out of range", exception(321), other, true},
		{"malformed rollup", fmt.Errorf("%w: x", errMalformed), other, true},
	} {
		if why, permanent := classify(c.err); why != c.want || permanent != c.permanent {
			t.Errorf("%s: %s, permanent %v; want %s, %v", c.name, why, permanent, c.want, c.permanent)
		}
	}
}

func TestAnOutageIsALineForEachReasonAndOneAtItsEnd(t *testing.T) {
	t.Parallel()
	var logged logs
	log := slog.New(slog.NewTextHandler(&logged, nil))
	var o outage
	o.end(log)
	for _, why := range []reason{away, away, away, overloaded, overloaded} {
		o.begin(log, why, errors.New("x"))
	}
	o.end(log)
	o.end(log)
	if n := logged.lines(); n != 3 {
		t.Errorf("%d lines, want 3:\n%s", n, logged.text())
	}
}
