// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/weirflow/weir/daemon"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode"
	"github.com/weirflow/weir/services/decode/offline"
)

// decodeOptions are the settings of one weir decode: those of the service, with other defaults.
type decodeOptions struct {
	Decode decode.Config `yaml:"decode"`

	format   string
	ports    []string
	counters bool
	quiet    bool
}

func newDecode() *cobra.Command {
	o := &decodeOptions{Decode: offline.DefaultConfig()}
	settings, file := daemon.NewSettings(o), ""
	cmd := &cobra.Command{
		Use:   "decode FILE...",
		Short: "Print the flows in packet captures of export datagrams",
		Long: `decode reads packet captures (pcap or pcapng, - is standard input) with NetFlow, IPFIX and sFlow datagrams
in them, decodes them as the service does, and prints a JSON object for each flow. What was refused, and
why, goes to standard error. Flows whose template comes later are printed when it comes.

  json     as GoFlow2 prints it: all fields of its FlowMessage, with names for protocols
  neutral  numbers for protocols and the like, nothing that is 0; with the packet's number in the capture
           (_pkt), the flow's in the datagram (_rec), and _late where the template came later

With --counters the counters of interfaces and hosts that sFlow agents send are objects, too, with the number of
the packet and the name of their table (_table). The summary counts them in any case.

The mapping file, the sampling rules and the limits are those of the section decode of the file that --config
names; without it the limits are wider than the service's, and flows may be of any age.

` + daemon.SettingsHelp,
		Example: "  weir decode --format neutral --port 2055 export.pcap\n  weir decode --decode.mapping_file mapping.yaml export.pcap",
		Args:    wantFiles,
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := loadSettings(settings, file, false); err != nil {
				return err
			}
			return o.run(cmd, files)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file with the settings (WEIR_CONFIG)")
	cmd.Flags().StringVar(&o.format, "format", "json", "json or neutral")
	cmd.Flags().StringSliceVar(&o.ports, "port", nil, "UDP ports of the collector; all by default")
	cmd.Flags().BoolVar(&o.counters, "counters", false, "print the counters of sFlow agents, too")
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "no summary")
	settings.Flags(cmd.Flags())
	return cmd
}

func (o *decodeOptions) run(cmd *cobra.Command, files []string) error {
	form, ok := forms[o.format]
	if !ok {
		return misuse("--format %q: want json or neutral", o.format)
	}
	numbers, err := portNumbers(o.ports)
	if err != nil {
		return err
	}
	d, err := offline.NewDecoder(o.Decode, numbers...)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
	err = readFiles(d, files, cmd.InOrStdin(), func(f offline.Flows) error {
		if o.counters && f.Counters != nil {
			for object := range f.Counters.JSON() {
				fmt.Fprintf(w, `{"_pkt":%d,%s`, f.Packet, object[1:])
			}
		}
		return printFlows(w, form, f)
	})
	err = errors.Join(err, w.Flush())
	if s := d.Summary(); !o.quiet {
		s.Write(cmd.ErrOrStderr())
	}
	return err
}

func wantFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misuse("%s: want a file (--help tells more)", cmd.CommandPath())
	}
	return nil
}

func portNumbers(texts []string) ([]uint16, error) {
	numbers := make([]uint16, len(texts))
	for i, s := range texts {
		n, err := strconv.ParseUint(s, 10, 16)
		if err != nil {
			return nil, misuse("--port %q: want a number up to 65535", s)
		}
		numbers[i] = uint16(n)
	}
	return numbers, nil
}

// readFiles decodes captures one after the other.
func readFiles(d *offline.Decoder, files []string, in io.Reader, put func(offline.Flows) error) error {
	for _, name := range files {
		if err := withFile(name, in, func(r io.Reader) error { return d.Read(r, put) }); err != nil {
			return fmt.Errorf("decode %s: %w", name, err)
		}
	}
	return nil
}

func withFile(name string, in io.Reader, f func(io.Reader) error) error {
	if name == "-" {
		return f(in)
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return f(file)
}

// forms in which flows are printed.
var forms = map[string]flow.Form{"json": flow.GoFlow2, "neutral": flow.Neutral}

// printFlows prints the flows of a datagram. The neutral form says where they come from.
func printFlows(w *bufio.Writer, form flow.Form, f offline.Flows) error {
	n := f.First
	for object := range f.Batch.JSON(form) {
		if form == flow.Neutral {
			late := ""
			if f.Late {
				late = `"_late":1,`
			}
			fmt.Fprintf(w, `{"_pkt":%d,"_rec":%d,%s`, f.Packet, n, late)
			object = object[1:]
		}
		if _, err := w.Write(object); err != nil {
			return err
		}
		n++
	}
	return nil
}
