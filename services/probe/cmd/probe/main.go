// SPDX-License-Identifier: Apache-2.0

// Command probe runs the service probe: packets → NetFlow, IPFIX, sFlow.
package main

import (
	"context"

	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/probe"
)

func main() {
	cfg := struct {
		Probe probe.Config `yaml:"probe"`
	}{probe.DefaultConfig()}
	daemon.Main("probe", &cfg, func(_ context.Context, p *daemon.Process) (daemon.Runner, error) {
		return probe.New(cfg.Probe, p.Log, p.Metrics)
	})
}
