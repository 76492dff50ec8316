// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/services/decode/offline"
)

func newExplain() *cobra.Command {
	ports, asJSON := []string(nil), false
	cmd := &cobra.Command{
		Use:   "explain FILE | HEX",
		Short: "Take export datagrams apart, field by field",
		Long: `explain prints what is in a NetFlow, IPFIX or sFlow datagram, given as octets in hexadecimal, or in each
datagram of a packet capture (pcap or pcapng, - is standard input): a line for each part with its offset, its
octets, its value and the columns of a flow that it fills. What decode would refuse is marked with !, with
the reason as in the metrics and the rule that it breaks. Templates hold for the datagrams that follow.`,
		Example: "  weir explain export.pcap\n  weir explain --json 000500010000...",
		Args:    wantFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			numbers, err := portNumbers(ports)
			if err != nil {
				return err
			}
			w := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
			put := func(e offline.Explanation) error {
				if asJSON {
					return e.WriteJSON(w)
				}
				e.Write(w)
				return nil
			}
			err = explainArguments(offline.NewExplainer(numbers...), args, cmd.InOrStdin(), put)
			if flushErr := w.Flush(); err == nil {
				err = flushErr
			}
			return err
		},
	}
	cmd.Flags().StringSliceVar(&ports, "port", nil, "UDP ports of the collector; all by default")
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON object for each datagram")
	return cmd
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
