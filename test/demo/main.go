// SPDX-License-Identifier: Apache-2.0

// Command demo runs weir up, sends it the flows of a real exporter, waits until they
// are in ClickHouse, shows them, and leaves weir up running.
//
//	demo bin/weir [flag of weir up ...]
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirflow/weir/test/traffic"
)

// Where weir up listens, unless its flags say otherwise.
const (
	clickhouse = "127.0.0.1:8123"
	patience   = time.Minute // for ClickHouse to start, and for rows to come
)

var collector = netip.MustParseAddrPort("127.0.0.1:2055")

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: demo bin/weir [flag of weir up ...]")
		os.Exit(2)
	}
	// Ctrl-C reaches weir up by itself; this program ends when weir up has.
	signal.Ignore(os.Interrupt)
	cmd := exec.Command(os.Args[1], append([]string{"up"}, os.Args[2:]...)...) //nolint:noctx // it runs until it is told to stop
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	step("starting weir up")
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	ctx, ended := context.WithCancel(context.Background())
	go func() {
		_ = cmd.Wait() // its exit code says it
		ended()
	}()
	if err := demo(ctx, os.Stdout); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ctx.Done()
		os.Exit(1)
	}
	<-ctx.Done()
	os.Exit(cmd.ProcessState.ExitCode())
}

func step(text string) { fmt.Printf("\n\x1b[1m==> %s\x1b[0m\n", text) }

// demo sends and shows.
func demo(ctx context.Context, out io.Writer) error {
	before, err := awaitRows(ctx, 0)
	if err != nil {
		return err
	}
	sent, err := send(ctx)
	if err != nil {
		return err
	}
	step(fmt.Sprintf("waiting for %d flows in ClickHouse", sent))
	if _, err := awaitRows(ctx, before+sent); err != nil {
		return err
	}
	for _, table := range tables {
		step(table.title)
		rows, err := query(ctx, table.sql+" FORMAT PrettyCompactMonoBlock")
		if err != nil {
			return err
		}
		fmt.Fprint(out, rows)
	}
	step("all " + strconv.Itoa(sent) + " flows arrived")
	fmt.Fprintf(out, `weir up goes on running. Point exporters at UDP port %d, 4739 or 6343 of this machine.
Ask more at http://%s/play (select ... from weir.flows). Ctrl-C ends everything.

`, collector.Port(), clickhouse)
	return nil
}

// send sends flows of made-up exporters and of a real one, and returns how many.
func send(ctx context.Context) (int, error) {
	step("eight made-up exporters send NetFlow v5, v9, IPFIX and sFlow")
	cfg := traffic.DefaultLoadConfig()
	cfg.To, cfg.Rate, cfg.Count = collector, 5000, 20_000
	load, err := traffic.NewLoad(cfg)
	if err != nil {
		return 0, err
	}
	defer load.Close()
	if err := load.Run(ctx); err != nil {
		return 0, err
	}
	made := 0
	for _, s := range load.Sent() {
		made += int(s.Flows) //nolint:gosec // as many as were asked for
	}
	exported, err := sendReal(ctx)
	return made + exported, err
}

// sendReal has softflowd export one capture in each of its protocols and returns how
// many flows these make.
func sendReal(ctx context.Context) (flows int, err error) {
	dir, err := os.MkdirTemp("", "weir-demo-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	pcap := filepath.Join(dir, "capture.pcap")
	f, err := os.Create(pcap)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	all, err := traffic.WriteCapture(f, traffic.CaptureConfig{Start: time.Now().Add(-2 * time.Minute), Conversations: 50, Seed: 1})
	if err != nil {
		return 0, err
	}
	for _, p := range []struct {
		name    string
		version int
	}{{"NetFlow v5", 5}, {"NetFlow v9", 9}, {"IPFIX", 10}} {
		step("softflowd sends a capture as " + p.name)
		if err := traffic.Softflowd(ctx, p.version, pcap, collector); err != nil {
			return 0, err
		}
		for _, flow := range all {
			if p.version != 5 || !flow.IPv6() { // v5 has no IPv6
				flows++
			}
		}
	}
	return flows, nil
}

// tables are what is shown in the end.
var tables = []struct{ title, sql string }{
	{"top talkers", `SELECT src_ip AS source, formatReadableSize(sum(bytes_scaled)) AS traffic,
		sum(packets_scaled) AS packets, count() AS flows
		FROM weir.flows GROUP BY src_ip ORDER BY sum(bytes_scaled) DESC LIMIT 10`},
	{"traffic per protocol", `SELECT transform(type, [1, 2, 3, 4], ['sFlow v5', 'NetFlow v5', 'NetFlow v9', 'IPFIX'], 'other') AS exported_as,
		transform(proto, [1, 6, 17, 58], ['ICMP', 'TCP', 'UDP', 'ICMPv6'], 'other') AS protocol,
		formatReadableSize(sum(bytes_scaled)) AS traffic, sum(packets_scaled) AS packets, count() AS flows
		FROM weir.flows GROUP BY type, proto ORDER BY type, sum(bytes_scaled) DESC`},
}

// awaitRows waits until ClickHouse has at least so many flows, and returns how many.
func awaitRows(ctx context.Context, want int) (int, error) {
	deadline, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for last := error(nil); ; {
		text, err := query(ctx, "SELECT count() FROM weir.flows")
		if err == nil {
			var got int
			if got, err = strconv.Atoi(strings.TrimSpace(text)); err == nil && got >= want {
				return got, nil
			}
			last = fmt.Errorf("%d flows of %d are in ClickHouse after %v", got, want, patience)
		} else {
			last = err
		}
		select {
		case <-deadline.Done():
			return 0, last
		case <-tick.C:
		}
	}
}

// query asks ClickHouse over HTTP.
func query(ctx context.Context, sql string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+clickhouse+"/?output_format_pretty_color=0", strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("ask ClickHouse: %s", strings.TrimSpace(string(body)))
	}
	return string(body), nil
}
