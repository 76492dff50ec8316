// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/clickhouse"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/aggregate"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/enrich"
	"github.com/weirflow/weir/services/ingest"
	"github.com/weirflow/weir/services/insert"
)

// config is every section of weir.yaml that is not daemon's. The single services
// read the same file and have some of these sections.
type config struct {
	Data           string            `yaml:"data" usage:"folder for everything that weir up keeps"`
	StatusInterval time.Duration     `yaml:"status_interval" usage:"time between two status lines of weir up; 0 means none"`
	DrainTimeout   time.Duration     `yaml:"drain_timeout" usage:"time that the stages of weir up have to empty their streams at the end; what is left waits for the next start"`
	NATS           bus.Config        `yaml:"nats" usage:"the streams between the services; weir up brings its own server and needs no url"`
	NATSServer     natsServerConfig  `yaml:"nats_server" usage:"the NATS server inside of weir up"`
	ClickHouse     clickhouse.Config `yaml:"clickhouse" usage:"where weir up and weir migrate find ClickHouse"`
	Ingest         ingest.Config     `yaml:"ingest" usage:"takes datagrams from exporters"`
	Decode         decode.Config     `yaml:"decode" usage:"turns datagrams into flows"`
	Enrich         enrich.Config     `yaml:"enrich" usage:"adds what is known about addresses"`
	Aggregate      aggregate.Config  `yaml:"aggregate" usage:"sums flows over windows of time"`
	Insert         insert.Config     `yaml:"insert" usage:"writes flows and sums to ClickHouse"`
}

func defaultConfig() config {
	return config{
		Data:           "./weir-data",
		StatusInterval: 2 * time.Second,
		DrainTimeout:   10 * time.Second,
		NATS:           bus.DefaultConfig(),
		NATSServer:     natsServerConfig{SyncInterval: time.Second},
		ClickHouse:     clickhouse.DefaultConfig(),
		Ingest:         ingest.DefaultConfig(),
		Decode:         decode.DefaultConfig(),
		Enrich:         enrich.DefaultConfig(),
		Aggregate:      aggregate.DefaultConfig(),
		Insert:         insert.DefaultConfig(),
	}
}

// options are the settings of one command line.
type options struct {
	config
	base     daemon.Config
	settings *daemon.Settings
	file     string
}

func newOptions() *options {
	o := &options{config: defaultConfig(), base: daemon.DefaultConfig()}
	o.settings = daemon.NewSettings(&o.config, &o.base)
	return o
}

// flags adds all settings and --config to cmd.
func (o *options) flags(cmd *cobra.Command) {
	cmd.Args = noArguments
	cmd.Flags().StringVar(&o.file, "config", "", "YAML file with the settings (WEIR_CONFIG)")
	o.settings.Flags(cmd.Flags())
}

// load fills the settings. A file that is named must exist and have no section
// that weir does not know.
func (o *options) load() error { return loadSettings(o.settings, o.file, true) }

func loadSettings(s *daemon.Settings, file string, strict bool) error {
	if file == "" {
		file = os.Getenv("WEIR_CONFIG")
	}
	return s.Load(daemon.Sources{File: file, Strict: strict, Env: os.LookupEnv})
}

func newCheck() *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Validate a configuration file",
		Long: `check reads the settings as weir up would and reports everything that is wrong with them.
It exits with 0 when all is well and with 2 when not.

` + daemon.SettingsHelp,
		Example: "  weir check --config weir.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.load(); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the settings are valid")
			return nil
		},
	}
	o.flags(cmd)
	return cmd
}

func newConfigCommand() *cobra.Command {
	o := newOptions()
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write the settings in effect as a configuration file",
		Long: `config writes every setting with its present value and what it is for, as a file for --config.
Secrets are left out.

` + daemon.SettingsHelp,
		Example: "  weir config > weir.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.load(); err != nil {
				return err
			}
			return o.settings.WriteYAML(cmd.OutOrStdout())
		},
	}
	o.flags(cmd)
	return cmd
}
