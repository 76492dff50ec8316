// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Exit codes of every Weir process.
const (
	exitFailed = 1 // it could not go on
	exitConfig = 2 // it was started with a wrong configuration
)

// ExitCode is the code that a process should exit with after err: 0 for nil, 2
// for a *ConfigError or an error that has Misconfigured() bool and says so, else 1.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if _, ok := errors.AsType[*ConfigError](err); ok {
		return exitConfig
	}
	var m interface{ Misconfigured() bool }
	if errors.As(err, &m) && m.Misconfigured() {
		return exitConfig
	}
	return exitFailed
}

// PrintError writes err to w, each of its lines after the program's name.
func PrintError(w io.Writer, name string, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(w, "%s: %s\n", name, line)
	}
}

// Main is the main function of the single service called name. cfg points to a
// struct of its configuration sections, filled with the defaults; build makes
// the service from it. The flags --config, --check and --healthcheck and the
// settings of Config come on top. Main does not return.
func Main(name string, cfg any, build func(context.Context, *Process) (Runner, error)) {
	err := runMain(name, cfg, build, os.Args[1:])
	if err != nil {
		PrintError(os.Stderr, name, err)
	}
	os.Exit(ExitCode(err))
}

func runMain(name string, cfg any, build func(context.Context, *Process) (Runner, error), args []string) error {
	base := DefaultConfig()
	settings := NewSettings(cfg, &base)
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SetOutput(os.Stdout)
	file := fs.String("config", "", "YAML file with the settings; sections of other services are skipped (WEIR_CONFIG)")
	onlyCheck := fs.Bool("check", false, "check the settings and exit")
	onlyHealth := fs.Bool("healthcheck", false, "ask the running process whether it is ready and exit with 0 or 1")
	settings.Flags(fs)
	fs.Usage = func() { usage(fs, name) }
	switch err := fs.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return nil
	case err != nil:
		return &ConfigError{Problems: []string{err.Error() + " (--help lists the flags)"}}
	case fs.NArg() > 0:
		return &ConfigError{Problems: []string{fmt.Sprintf("argument %q: want flags only (--help lists them)", fs.Arg(0))}}
	}
	if *file == "" {
		*file = os.Getenv("WEIR_CONFIG")
	}
	if err := settings.Load(Sources{File: *file, Env: os.LookupEnv}); err != nil {
		return err
	}
	switch {
	case *onlyCheck:
		fmt.Fprintln(os.Stdout, name+": the settings are valid")
		return nil
	case *onlyHealth:
		return checkHealth(context.Background(), base.HTTP.Listen)
	}
	p := NewProcess(name, base, os.Stderr)
	return p.Run(context.Background(), func(ctx context.Context, p *Process) (Runner, error) {
		r, err := build(ctx, p)
		if err == nil {
			p.Watch(name, r)
		}
		return r, err
	})
}

func usage(fs *pflag.FlagSet, name string) {
	fmt.Fprintf(fs.Output(), `Usage: %s [flags]

%s

Flags:
%s`, name, SettingsHelp, fs.FlagUsages())
}

// SettingsHelp explains how settings are given, for the help of every program.
const SettingsHelp = `Every setting can be given as a flag, in the environment and in the file:
--ingest.listen, WEIR_INGEST_LISTEN and "ingest: {listen: ...}" are the same.
A flag wins over the environment, the environment over the file. In secrets ${NAME} stands for
a variable of the environment and ${file:PATH} for what a file holds.`
