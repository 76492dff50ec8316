// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/bus"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/offline"
)

// letterTimeout is how long the server may take to give a dead letter.
const letterTimeout = 10 * time.Second

// letter explains the dead letter of the options.
func (o *explainOptions) letter(ctx context.Context, x *offline.Explainer, w io.Writer, put func(offline.Explanation) error) error {
	ctx, cancel := context.WithTimeout(ctx, letterTimeout)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	b, err := bus.Connect(ctx, o.NATS, operatorName, log, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer b.Close()
	if !awaitBus(ctx, b, log) {
		return b.Ready()
	}
	l, err := b.Letter(ctx, o.dead)
	if err != nil {
		return err
	}
	if err := o.writeLetter(w, l); err != nil {
		return err
	}
	message, err := l.Payload()
	if err != nil {
		return fmt.Errorf("dead letter %d: %w", l.Sequence, err)
	}
	switch l.Stream {
	case bus.Datagrams.Name:
		if err = b.LoadState(ctx, bus.Templates, l.Partition, x.Restore); err == nil {
			err = x.Batch(message, put)
		}
	case bus.Flows.Name, bus.Enriched.Name:
		err = writeFlows(w, message)
	}
	if err != nil {
		return fmt.Errorf("dead letter %d: %w", l.Sequence, err)
	}
	return nil
}

func (o *explainOptions) writeLetter(w io.Writer, l *bus.Letter) error {
	if o.asJSON {
		return json.NewEncoder(w).Encode(l)
	}
	_, err := fmt.Fprintf(w, "dead letter %d of %s: message %d of %s, partition %d, %d octets\n%s refused it: %s\n",
		l.Sequence, l.Time.UTC().Format(time.RFC3339), l.Source, l.Stream, l.Partition, l.Bytes, l.Stage, l.Reason)
	return err
}

// writeFlows prints the flows of a message.
func writeFlows(w io.Writer, message []byte) error {
	var b flow.Batch
	if err := b.UnmarshalVTUnsafe(message); err != nil {
		return err
	}
	for object := range b.JSON(flow.Neutral) {
		if _, err := w.Write(object); err != nil {
			return err
		}
	}
	return nil
}
