// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/weirflow/weir/flow"
)

// markColumn is in every table. One row of each insert carries the insert's mark in it, the
// others 0: the mark is there exactly if the insert is.
const markColumn = "insert_id"

// insertOnce inserts the batch, which is all of one period, so that its rows are in the
// table once, however often it is called with the same batch and token.
//
// ClickHouse remembers tokens and drops an insert whose token it has seen. But a MergeTree
// that is not replicated writes the token down before it puts the part in its place: killed
// between the two, it comes back with the token and without the rows. So an insert that was
// dropped counts as done only if its mark is in the table; if not, it gets another token.
// Both happen under one lock, so what was dropped is in its place by then, or never will be.
func (w *writer) insertOnce(ctx context.Context, t *table, token string, b *batch, p period) error {
	token = fmt.Sprintf("%s-%s-%d", token, t.name, p.day)
	id := mark(token)
	if err := b.setMark(t, id); err != nil {
		return err
	}
	ctx, cancel := w.deadline(ctx)
	defer cancel()
	for try := 0; ; try++ {
		dropped, err := w.send(ctx, t, fmt.Sprintf("%s-%d", token, try), b)
		if err != nil || !dropped && !w.servers.silent {
			return err
		}
		if dropped {
			w.m.repeated.WithLabelValues(t.name).Inc()
		}
		if t.replicated {
			return nil // token and part are written as one, and other replicas lag
		}
		there, err := w.hasMark(ctx, t, id, p)
		if err != nil || there {
			return err
		}
		w.log.Warn("clickhouse remembers an insert that it has lost, inserting it again", "table", t.name, "token", token)
	}
}

// mark is a number, not 0, for a token.
func mark(token string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(token))
	return max(h.Sum64(), 1)
}

// setMark adds the column of marks. The first row carries it: in a summing table that row
// stays on its own when rows are merged, since the mark is part of the sorting key.
func (b *batch) setMark(t *table, id uint64) error {
	typ, err := t.typeOf(markColumn, flow.Number, 8)
	if err != nil {
		return err
	}
	c := b.add(markColumn, typ)
	c.addValues(binary.LittleEndian.AppendUint64(nil, id), 8, b.rows)
	return nil
}

// hasMark tells whether an insert is in the table.
func (w *writer) hasMark(ctx context.Context, t *table, id uint64, p period) (bool, error) {
	var n uint64
	query := fmt.Sprintf("SELECT count() FROM %s WHERE %s = %d AND %s", t.name, markColumn, id, t.clock.between(p))
	if err := w.conn.QueryRow(ctx, query).Scan(&n); err != nil {
		return false, err
	}
	return n > 0, nil
}
