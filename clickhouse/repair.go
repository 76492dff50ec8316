// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// forgetLostParts makes a repeated insert whole again after a crash. It runs while the
// server is down.
//
// A MergeTree that is not replicated writes the deduplication record of a part first and
// gives the part its final name after that. A server that is killed in between has the
// record without the rows: it would take the repeated insert for a duplicate and drop it.
// So records of parts that are not on disk, by themselves or merged into a greater
// one, are deleted.
func forgetLostParts(dir string) error {
	// store/abc/abcdef.../ is the folder of a table.
	logs, err := filepath.Glob(filepath.Join(dir, "store", "*", "*", "deduplication_logs", "deduplication_log_*.txt"))
	if err != nil {
		return err
	}
	parts := map[string]tableParts{}
	for _, path := range logs {
		table := filepath.Dir(filepath.Dir(path))
		if parts[table] == nil {
			if parts[table], err = readParts(table); err != nil {
				return fmt.Errorf("read parts of %s: %w", table, err)
			}
		}
		if err := rewriteLog(path, parts[table]); err != nil {
			return fmt.Errorf("repair %s: %w", path, err)
		}
	}
	return nil
}

// rewriteLog deletes the records of parts that are not there. A record is a line
// "1 part block", with tabs, for a part that was added, or "2 part block" for one that
// was dropped.
func rewriteLog(path string, parts tableParts) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var after strings.Builder
	for line := range strings.Lines(string(before)) {
		fields := strings.Split(line, "\t")
		if len(fields) == 3 && fields[0] == "1" {
			if p, ok := parsePart(fields[1]); ok && !parts.hold(p) {
				continue
			}
		}
		after.WriteString(line)
	}
	if after.Len() == len(before) {
		return nil
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(after.String()), 0o640); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// part is the name of a part: partition_least_greatest_level, the middle two being
// the numbers of the inserted blocks that it holds.
type part struct {
	partition       string
	least, greatest uint64
}

// tableParts are the parts of a table by partition.
type tableParts map[string][]part

func (t tableParts) hold(p part) bool {
	for _, q := range t[p.partition] {
		if q.least <= p.least && p.greatest <= q.greatest {
			return true
		}
	}
	return false
}

func readParts(table string) (tableParts, error) {
	entries, err := os.ReadDir(table)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	parts := tableParts{}
	for _, e := range entries {
		if p, ok := parsePart(e.Name()); ok && e.IsDir() {
			parts[p.partition] = append(parts[p.partition], p)
		}
	}
	return parts, err
}

func parsePart(name string) (part, bool) {
	// A fifth piece is the number of a mutation. Parts that are being written have names
	// that begin with tmp_ and a word, which is no number.
	pieces := strings.Split(name, "_")
	if len(pieces) != 4 && len(pieces) != 5 {
		return part{}, false
	}
	least, err1 := strconv.ParseUint(pieces[1], 10, 64)
	greatest, err2 := strconv.ParseUint(pieces[2], 10, 64)
	return part{partition: pieces[0], least: least, greatest: greatest}, err1 == nil && err2 == nil
}
