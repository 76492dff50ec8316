// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"fmt"

	"github.com/weirflow/weir/bus"
	weirv1 "github.com/weirflow/weir/proto/weir/v1"
)

// sift takes the messages out of a batch that are malformed. Places says where those that
// remain stood.
func sift(messages []*weirv1.RollupBatch) (sound []*weirv1.RollupBatch, places []int, refused []bus.Refusal) {
	for i, m := range messages {
		if err := checkRollups(m); err != nil {
			refused = append(refused, bus.Refusal{Message: i, Reason: err})
			continue
		}
		sound, places = append(sound, m), append(places, i)
	}
	return sound, places, refused
}

// moved gives the messages of refused parts their places before sift.
func moved(refused []bus.Refusal, places []int) []bus.Refusal {
	for i := range refused {
		refused[i].Message = places[refused[i].Message]
	}
	return refused
}

// outcome is what a write returns to bus.Sink.
func outcome(refused []bus.Refusal, err error) error {
	if err == nil && len(refused) > 0 {
		return bus.Refused(refused)
	}
	return err
}

func checkIndexes(values []string, indexes []byte, width, rows int) error {
	for i := range rows {
		if at(indexes, width, i) > uint64(len(values)) {
			return errTextIndex
		}
	}
	return nil
}

// checkRollups looks for rollups from which no columns can be made.
func checkRollups(m *weirv1.RollupBatch) error {
	for _, r := range m.GetRollups() {
		if r.GetRows() == 0 {
			continue
		}
		if !tableName.MatchString(r.GetName()) {
			return fmt.Errorf("%w: name %q", errMalformed, r.GetName())
		}
		if _, err := valueWidth(r.GetWindowStart(), r, 4); err != nil {
			return fmt.Errorf("%w: %s", err, windowColumn)
		}
		for _, columns := range [][]*weirv1.RollupColumn{r.GetKeys(), r.GetSums()} {
			for _, c := range columns {
				if err := checkColumn(r, c); err != nil {
					return fmt.Errorf("%w: %s.%s", err, r.GetName(), c.GetName())
				}
			}
		}
	}
	return nil
}

func checkColumn(r *weirv1.Rollup, c *weirv1.RollupColumn) error {
	text := c.GetText()
	if text == nil {
		_, err := valueWidth(c.GetValues(), r, 16)
		return err
	}
	width, err := valueWidth(text.GetIndexes(), r, 4)
	if err != nil {
		return err
	}
	return checkIndexes(text.GetValues(), text.GetIndexes(), width, int(r.GetRows()))
}
