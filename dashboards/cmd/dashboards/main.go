// SPDX-License-Identifier: Apache-2.0

// Command dashboards writes the files that Grafana reads, from their description, into the
// repository whose root is its argument.
package main

import (
	"fmt"
	"os"

	"github.com/weirflow/weir/dashboards"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards ROOT")
		os.Exit(2)
	}
	if err := dashboards.Write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}
