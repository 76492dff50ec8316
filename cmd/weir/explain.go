// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/services/decode/offline"
)

// explainOptions are the settings of one weir explain.
type explainOptions struct {
	NATS bus.Config `yaml:"nats"`

	ports  []string
	asJSON bool
	dead   uint64
}

func newExplain() *cobra.Command {
	o := &explainOptions{NATS: bus.DefaultConfig()}
	settings, file := daemon.NewSettings(o), ""
	cmd := &cobra.Command{
		Use:   "explain FILE | HEX | --dead SEQUENCE",
		Short: "Take export datagrams apart, field by field",
		Long: `explain prints what is in a NetFlow, IPFIX or sFlow datagram, given as octets in hexadecimal, or in each
datagram of a packet capture (pcap or pcapng, - is standard input): a line for each part with its offset, its
octets, its value and the columns of a flow that it fills. What decode would refuse is marked with !, with
the reason as in the metrics and the rule that it breaks. Templates hold for the datagrams that follow.

With --dead it prints a dead letter from the server of nats.url: why it was refused, and what it holds. Its
datagrams are explained with the templates that decode knows, its flows printed as JSON.

` + daemon.SettingsHelp,
		Example: "  weir explain export.pcap\n  weir explain --json 000500010000...\n  weir explain --dead 17",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.dead != 0 {
				return noArguments(cmd, args)
			}
			return wantFiles(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := loadSettings(settings, file, false); err != nil {
				return err
			}
			w := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
			return errors.Join(o.run(cmd.Context(), args, cmd.InOrStdin(), w), w.Flush())
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file with the settings (WEIR_CONFIG)")
	cmd.Flags().StringSliceVar(&o.ports, "port", nil, "UDP ports of the collector; all by default")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "a JSON object for each datagram")
	cmd.Flags().Uint64Var(&o.dead, "dead", 0, "sequence of a dead letter in the stream DEAD")
	settings.Flags(cmd.Flags())
	return cmd
}

func (o *explainOptions) run(ctx context.Context, args []string, in io.Reader, w io.Writer) error {
	numbers, err := portNumbers(o.ports)
	if err != nil {
		return err
	}
	x := offline.NewExplainer(numbers...)
	put := func(e offline.Explanation) error {
		if o.asJSON {
			return e.WriteJSON(w)
		}
		e.Write(w)
		return nil
	}
	if o.dead != 0 {
		return o.letter(ctx, x, w, put)
	}
	return explainArguments(x, args, in, put)
}

// explainArguments takes each argument as a file if there is one, else as hexadecimal.
func explainArguments(x *offline.Explainer, args []string, in io.Reader, put func(offline.Explanation) error) error {
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil && arg != "-" {
			payload, hexErr := hex.DecodeString(strings.Join(strings.Fields(arg), ""))
			if hexErr != nil {
				return misuse("explain %s: neither a file nor hexadecimal", arg)
			}
			if err := put(x.Datagram(payload)); err != nil {
				return err
			}
			continue
		}
		if err := withFile(arg, in, func(r io.Reader) error { return x.Read(r, put) }); err != nil {
			return fmt.Errorf("explain %s: %w", arg, err)
		}
	}
	return nil
}
