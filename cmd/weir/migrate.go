// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/clickhouse"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/migrations"
)

func newMigrate() *cobra.Command {
	cmd := newMigration(&cobra.Command{
		Use:   "migrate",
		Short: "Bring the tables of a ClickHouse up to date",
		Long: `migrate applies the migrations that the database lacks, each once and in order, and lists all of them.
It works on the ClickHouse of clickhouse.dsn. Without one it starts the ClickHouse of the data folder
for as long as it takes; weir up migrates by itself. Of several that migrate at once, one does it and the others wait.

` + daemon.SettingsHelp,
		Example: "  weir migrate --clickhouse.dsn clickhouse://user:password@db.example.net:9000",
	}, migration.up)
	cmd.AddCommand(
		newMigration(&cobra.Command{
			Use:   "up",
			Short: "Apply the migrations that the database lacks",
		}, migration.up),
		newMigration(&cobra.Command{
			Use:   "status",
			Short: "List the migrations and when each was applied, change nothing",
		}, migration.report),
		newMigration(&cobra.Command{
			Use:   "verify",
			Short: "Compare the tables with what the migrations make of an empty database",
			Long: `verify makes a database of another name, migrates it, compares its tables and columns with those of
clickhouse.database, and drops it. Tables and columns that somebody has added are no difference.`,
		}, migration.verify),
		newPrint(),
	)
	return cmd
}

func newPrint() *cobra.Command {
	t := migrations.Target{Database: clickhouse.DefaultConfig().Database}
	cmd := &cobra.Command{
		Use:     "print",
		Short:   "Print the SQL of all migrations",
		Example: "  weir migrate print --cluster NAME",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.Print(cmd.OutOrStdout()) },
	}
	cmd.Flags().StringVar(&t.Cluster, "cluster", "", "cluster that the SQL is for; empty: for one server")
	cmd.Flags().StringVar(&t.Database, "database", t.Database, "database that tables of a cluster are in")
	return cmd
}

// newMigration completes a command that does something with the ClickHouse of the settings.
func newMigration(cmd *cobra.Command, do func(migration, context.Context) error) *cobra.Command {
	o := newOptions()
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.load(); err != nil {
			return err
		}
		o.base.HTTP.Listen = "" // it is over soon
		p := daemon.NewProcess("weir", o.base, os.Stderr)
		return p.Run(cmd.Context(), func(context.Context, *daemon.Process) (daemon.Runner, error) {
			ch, err := newServer(o, p)
			m := migration{o, ch, p.Log, cmd.OutOrStdout()}
			return once(func(ctx context.Context) error { return m.run(ctx, do) }), err
		})
	}
	o.flags(cmd)
	return cmd
}

// newServer returns the ClickHouse of o, not started yet.
func newServer(o *options, p *daemon.Process) (*clickhouse.Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return clickhouse.New(o.ClickHouse, filepath.Join(o.Data, "clickhouse"), []string{self, "clickhouse"}, p.For("clickhouse").Log)
}

// migration is one weir migrate.
type migration struct {
	o   *options
	ch  *clickhouse.Server
	log *slog.Logger
	out io.Writer
}

// run starts ClickHouse where none is given, and does what is to be done.
func (m migration) run(ctx context.Context, do func(migration, context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- m.ch.Run(ctx)
		cancel()
	}()
	var err error
	select {
	case <-m.ch.Ready():
		err = do(m, ctx)
	case <-ctx.Done():
	}
	cancel()
	return errors.Join(err, <-ended)
}

func (m migration) up(ctx context.Context) error {
	if err := migrate(ctx, m.ch, m.o.config, m.log); err != nil || ctx.Err() != nil {
		return err
	}
	return m.report(ctx)
}

func (m migration) report(ctx context.Context) error {
	all, err := migrations.Status(ctx, m.ch.DSN(), m.o.ClickHouse.Database)
	for _, a := range all {
		applied := "not applied"
		if !a.Applied.IsZero() {
			applied = "applied " + a.Applied.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(m.out, "%04d  %-30s  %s\n", a.Version, a.Name, applied)
	}
	return err
}

// verify prints what is different, and fails if anything is.
func (m migration) verify(ctx context.Context) error {
	database := m.o.ClickHouse.Database
	differences, err := targetOf(m.ch, m.o.config).Verify(ctx)
	if err != nil {
		return err
	}
	for _, d := range differences {
		fmt.Fprintln(m.out, d)
	}
	if len(differences) > 0 {
		return fmt.Errorf("verify %s: %d differences", database, len(differences))
	}
	fmt.Fprintf(m.out, "%s is as the migrations make it\n", database)
	return nil
}

func targetOf(ch *clickhouse.Server, cfg config) migrations.Target {
	return migrations.Target{DSN: ch.DSN(), Database: cfg.ClickHouse.Database, Cluster: cfg.ClickHouse.Cluster}
}

const migrateEvery = 2 * time.Second // between two tries

// migrate waits until ClickHouse answers, brings its tables up to date, makes those of the
// user's rollups and sets how long rows are kept. It tries again while ClickHouse is away, and returns nil when ctx ends.
func migrate(ctx context.Context, ch *clickhouse.Server, cfg config, log *slog.Logger) error {
	target := targetOf(ch, cfg)
	tables, err := rollupTables(cfg.Aggregate.Rollups)
	if err != nil {
		return err
	}
	select {
	case <-ch.Ready():
	case <-ctx.Done():
		return nil
	}
	for warned := false; ; warned = true {
		err := target.Up(ctx, log)
		if err == nil {
			err = target.EnsureRollups(ctx, tables, log)
		}
		if err == nil {
			err = target.Keep(ctx, cfg.ClickHouse.KeepDays, log)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return nil
		case !isAway(err):
			return err
		case !warned:
			log.Warn("clickhouse is away, the migration waits for it", "err", err)
		}
		select {
		case <-time.After(migrateEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// isAway reports whether err says that ClickHouse did not answer, rather than what.
func isAway(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// migrated is a service that needs the tables.
type migrated struct {
	daemon.Runner
	migrate func(context.Context) error
}

// Run migrates and then runs the service.
func (m migrated) Run(ctx context.Context) error {
	if err := m.migrate(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	return m.Runner.Run(ctx)
}
