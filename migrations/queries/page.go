// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
)

// query is a question of the page and its SQL.
type query struct{ title, sql string }

// readPage returns the queries of a Markdown page: blocks of SQL, each below its heading.
func readPage(path string) ([]query, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []query
	var title string
	var block []string
	within := false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "### "):
			title = strings.TrimSpace(line[len("### "):])
		case line == "```sql\n":
			within, block = true, nil
		case within && line == "```\n":
			within = false
			all = append(all, query{title, strings.Join(block, "")})
		case within:
			block = append(block, line)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: has no queries", path)
	}
	return all, nil
}
