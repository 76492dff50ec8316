// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"context"
	"fmt"
)

// mostPieces bounds the inserts that the search for refused rows of one batch makes. When
// it is used up, what is refused is refused as a whole.
const mostPieces = 2000

// refusedRow is a row that ClickHouse will never take.
type refusedRow struct {
	row    int // of the batch of all messages
	reason error
}

// halving looks for the rows for which ClickHouse refuses a batch: it halves what is refused
// until a row is left. Each piece is an insert with a token of its own, made from the batch's
// and the rows, so that a search that is repeated finds the same and inserts nothing twice.
type halving struct {
	w       *writer
	t       *table
	token   string
	piece   batch
	pieces  int
	refused []refusedRow
}

// isolate inserts those rows of w.batch that ClickHouse takes; together they were refused
// for reason. Rows are all of the period p.
func (h *halving) isolate(ctx context.Context, rows []int, p period, reason error) error {
	if len(rows) == 1 || h.pieces >= mostPieces {
		for _, row := range rows {
			h.refused = append(h.refused, refusedRow{row, reason})
		}
		return nil
	}
	for _, half := range [][]int{rows[:len(rows)/2], rows[len(rows)/2:]} {
		h.pieces++
		h.piece.setSome(&h.w.batch, half)
		token := fmt.Sprintf("%s-%d+%d", h.token, half[0], len(half))
		err := h.w.insertOnce(ctx, h.t, token, &h.piece, p)
		if err == nil {
			h.w.m.rows.WithLabelValues(h.t.name).Add(float64(len(half)))
			continue
		}
		if _, permanent := classify(err); !permanent {
			return err
		}
		if err := h.isolate(ctx, half, p, err); err != nil {
			return err
		}
	}
	return nil
}
