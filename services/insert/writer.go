// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// writer writes the batches of one stream, one after the other. It is not safe for
// concurrent use.
type writer struct {
	cfg     Config
	servers *servers
	server  int         // the one in use
	conn    driver.Conn // to it
	warned  bool        // that tables are not replicated
	log     *slog.Logger
	m       *metrics
	tables  map[string]*table
	batch   batch // of all messages
	day     batch // of those of one day, when they are of several
	outage  outage
}

const (
	firstDelay = 100 * time.Millisecond
	mostDelay  = 10 * time.Second
	// grace is what an insert that is under way gets when the service stops.
	grace = 5 * time.Second
)

// writeFlows writes messages of ENRICHED.
func (w *writer) writeFlows(ctx context.Context, token string, messages []*flow.Batch) error {
	rows, err := w.write(ctx, flowsTable, token, func(t *table) error { return w.batch.setFlows(t, messages) })
	return outcome(refusedFlows(messages, rows), err)
}

// writeRollups writes messages of ROLLUPS, an insert for each table. What has been written
// when a later table fails is written again with the same token.
func (w *writer) writeRollups(ctx context.Context, token string, messages []*weirv1.RollupBatch) error {
	sound, places, refused := sift(messages)
	rollups, err := byTable(sound)
	if err != nil {
		return bus.Permanent(err)
	}
	for _, r := range rollups {
		rows, err := w.write(ctx, r.table, token, func(t *table) error { return w.batch.setRollup(t, r) })
		if err != nil {
			return err
		}
		refused = append(refused, moved(refusedPartials(sound, r, rows), places)...)
	}
	return outcome(refused, nil)
}

// write makes a batch with set and inserts it, and tries until ClickHouse has confirmed it
// but for the rows that it returns, which ClickHouse refuses for their values. It fails when
// ctx ends, and for good when set can't make a batch.
func (w *writer) write(ctx context.Context, name, token string, set func(*table) error) ([]refusedRow, error) {
	for delay := firstDelay; ; delay = min(2*delay, mostDelay) {
		refused, err := w.try(ctx, name, token, set)
		if err == nil {
			w.outage.end(w.log)
			return refused, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		why, permanent := classify(err)
		if permanent {
			return nil, bus.Permanent(fmt.Errorf("insert into %s: %w", name, err))
		}
		w.failOver()
		w.m.retries.WithLabelValues(string(why)).Inc()
		w.outage.begin(w.log, why, fmt.Errorf("insert into %s: %w", name, err))
		if !pause(ctx, delay) {
			return nil, ctx.Err()
		}
	}
}

// failOver goes to the next server, or to the same one anew.
func (w *writer) failOver() {
	w.server = (w.server + 1) % len(w.servers.conns)
	w.conn = w.servers.conns[w.server]
	clear(w.tables) // they may have been migrated, or be others
}

// try makes the batch and inserts it once, day by day.
func (w *writer) try(ctx context.Context, name, token string, set func(*table) error) (refused []refusedRow, err error) {
	t, err := w.table(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := set(t); err != nil {
		return nil, err
	}
	periods := w.batch.periods(t.clock)
	for _, p := range periods {
		b := &w.batch
		if len(periods) > 1 {
			b = &w.day
			b.setSome(&w.batch, w.batch.rowsOf(t.clock, p.day))
		}
		start := time.Now()
		err := w.insertOnce(ctx, t, token, b, p)
		if _, permanent := classify(err); err != nil && permanent {
			h := halving{w: w, t: t, token: token}
			if err := h.isolate(ctx, w.batch.rowsOf(t.clock, p.day), p, err); err != nil {
				return nil, err
			}
			refused = append(refused, h.refused...)
			continue
		}
		if err != nil {
			return nil, err
		}
		w.count(t, b, p, start)
	}
	return refused, nil
}

// send sends the batch as one block. It reports whether ClickHouse dropped it because it has
// seen the token.
func (w *writer) send(ctx context.Context, t *table, token string, b *batch) (dropped bool, err error) {
	names := make([]string, len(b.columns))
	for i, c := range b.columns {
		names[i] = c.name
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(settings(token)),
		clickhouse.WithProfileEvents(func(events []clickhouse.ProfileEvent) {
			for _, e := range events {
				dropped = dropped || e.Name == "DuplicatedInsertedBlocks" && e.Value > 0
			}
		}))
	block, err := w.conn.PrepareBatch(ctx, "INSERT INTO "+t.name+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return false, err
	}
	defer block.Abort() //nolint:errcheck // it only reports that the block was sent
	if err := b.copyTo(block.Columns()); err != nil {
		return false, err
	}
	err = block.Send()
	return dropped, err
}

// settings make an insert that is done when ClickHouse confirms it, and done once.
func settings(token string) clickhouse.Settings {
	return clickhouse.Settings{
		"async_insert":                    0,
		"insert_deduplicate":              1,
		"distributed_foreground_insert":   1, // a Distributed table passes the token on
		"insert_deduplication_token":      token,
		"max_partitions_per_insert_block": 0, // late rows may be of any day
	}
}

// deadline bounds one try. When ctx ends it leaves some time for an insert that is under
// way: one that is cut off would have to be repeated.
func (w *writer) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Timeout)
	stop := context.AfterFunc(ctx, func() {
		pause(bounded, grace)
		cancel()
	})
	return bounded, func() {
		stop()
		cancel()
	}
}

// table returns what is known of a table.
func (w *writer) table(ctx context.Context, name string) (*table, error) {
	if t := w.tables[name]; t != nil {
		return t, nil
	}
	ctx, cancel := w.deadline(ctx)
	defer cancel()
	t, err := readTable(ctx, w.conn, name)
	if err != nil {
		return nil, err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	if len(w.servers.conns) > 1 && !t.replicated && !w.warned {
		w.warned = true
		w.log.Warn("table is not replicated: an insert that is repeated on another server is there twice", "table", name)
	}
	w.tables[name] = t
	return t, nil
}

func (w *writer) count(t *table, b *batch, p period, start time.Time) {
	w.m.inserts.WithLabelValues(t.name).Inc()
	w.m.rows.WithLabelValues(t.name).Add(float64(b.rows))
	w.m.bytes.WithLabelValues(t.name).Add(float64(b.size()))
	w.m.duration.WithLabelValues(t.name).Observe(time.Since(start).Seconds())
	if t.name == flowsTable && p.first != 0 {
		w.m.delay.Observe(time.Since(time.Unix(0, int64(p.first))).Seconds()) //nolint:gosec // a time in ns
	}
}

// outage is a time in which nothing can be written. It makes a log line when it begins, one
// when its reason changes and one when it ends.
type outage struct {
	since time.Time // zero when there is none
	why   reason
}

func (o *outage) begin(log *slog.Logger, why reason, err error) {
	if o.since.IsZero() {
		o.since = time.Now()
	} else if o.why == why {
		return
	}
	o.why = why
	log.Warn("clickhouse takes no rows, trying until it does", "reason", string(why), "error", err)
}

func (o *outage) end(log *slog.Logger) {
	if !o.since.IsZero() {
		log.Info("clickhouse takes rows again", "after", time.Since(o.since).Round(time.Millisecond))
	}
	*o = outage{}
}

// pause waits, and reports whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
