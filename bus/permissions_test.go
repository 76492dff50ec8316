// SPDX-License-Identifier: Apache-2.0

package bus_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weirflow/weir/bus"
)

// user is a connection of a user of stack without package bus, and what it was refused.
type user struct {
	client
	nc      *nats.Conn
	refused *atomic.Int64
}

func newUser(t *testing.T, url, name string) user {
	t.Helper()
	u := user{refused: &atomic.Int64{}}
	nc, err := nats.Connect(url, nats.UserInfo(name, name), nats.CustomInboxPrefix("_INBOX_"+name),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrPermissionViolation) {
				u.refused.Add(1)
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	u.nc, u.client = nc, client{t, js}
	return u
}

func TestServicesWorkUnderTheirPermissions(t *testing.T) {
	t.Parallel()
	url := stack(t)
	admin := login(t, as(url, "streams"), "streams")
	if err := admin.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	decode := login(t, as(url, bus.Decode), bus.Decode)
	startHandlers(t, decode, func() *sider {
		return &sider{handlerFunc: pass, stream: bus.Held, more: []bus.Stream{bus.Counters}, keep: func() bus.Position { return bus.Position{} }}
	})
	written := make(chan uint64, 8)
	go func() {
		_ = bus.Sink(t.Context(), login(t, as(url, bus.Insert), bus.Insert), bus.Counters, bus.SinkConfig{MaxRows: 1},
			func(_ context.Context, _ string, batch []*numbers) error {
				for _, n := range batch {
					for _, v := range n.v {
						written <- v
					}
				}
				return nil
			})
	}()
	in := newUser(t, url, bus.Ingest)
	reader := newUser(t, url, "streams")
	for v := range uint64(5) {
		in.publish(3, v, v+1)
		reader.expect(3, v+1)
		if got := <-written; got != v {
			t.Errorf("insert read %d, want %d", got, v)
		}
	}
	reader.until("truncation of HELD", func() bool { return len(reader.rows("HELD", "held.3")) == 1 })
	err := bus.ReadLog(t.Context(), decode, bus.Held, 3, func(*numbers) error { return nil })
	if err != nil {
		t.Errorf("ReadLog: %v", err)
	}
	if err := decode.PutState(t.Context(), bus.Templates, 3, "key", []byte("value")); err != nil {
		t.Error(err)
	}
	loaded := 0
	err = decode.LoadState(t.Context(), bus.Templates, 3, func(string, []byte) error { loaded++; return nil })
	if err != nil || loaded != 1 {
		t.Errorf("LoadState: %d values, %v", loaded, err)
	}
}

// TestOperatorLooksAtEverything and mends what is broken: dead letters, and what decode learned.
func TestOperatorLooksAtEverything(t *testing.T) {
	t.Parallel()
	url := stack(t)
	if err := login(t, as(url, "streams"), "streams").Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	decode := login(t, as(url, bus.Decode), bus.Decode)
	refuse := atomic.Bool{}
	refuse.Store(true)
	start(t, decode, func(in, out *numbers) error {
		if refuse.Load() {
			return bus.Permanent(errUnlucky)
		}
		return pass(in, out)
	})
	newUser(t, url, bus.Ingest).publish(3, 0, 1)
	operator, reader := login(t, as(url, "operator"), "operator"), newUser(t, url, "streams")
	reader.until("the letter", func() bool { return len(letters(t, operator)) == 1 })
	survey, err := operator.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(survey.Stages, func(s bus.StageSurvey) bool { return s.Stage == bus.Decode }); len(survey.Stages[i].Workers) != 1 {
		t.Errorf("survey of decode: %+v", survey.Stages[i])
	}
	if err := decode.PutState(t.Context(), bus.Templates, 3, "key", []byte("value")); err != nil {
		t.Fatal(err)
	}
	states := 0
	if err := operator.States(t.Context(), bus.Templates, false, func(bus.State) error { states++; return nil }); err != nil || states != 1 {
		t.Errorf("%d states, %v", states, err)
	}
	refuse.Store(false)
	if err := operator.Feed(t.Context(), bus.Flows, 3, &numbers{v: []uint64{7}}); err != nil { // as generate --direct does
		t.Error(err)
	}
	if err := operator.Replay(t.Context(), letters(t, operator)[0]); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"$JS.API.STREAM.DELETE.DATAGRAMS", "$JS.API.STREAM.PURGE.FLOWS", "$JS.API.STREAM.CREATE.X", "held.0", "$KV.INTENTS.ENRICHED"} {
		u := newUser(t, url, "operator")
		if err := u.nc.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		u.until("refusal of "+subject, func() bool { return u.refused.Load() == 1 })
	}
	reader.until("what was replayed", func() bool { return slices.Equal(reader.outputs(3), []uint64{7, 0}) })
}

func TestForeignActionsAreRefused(t *testing.T) {
	t.Parallel()
	url := stack(t)
	admin := login(t, as(url, "streams"), "streams")
	if err := admin.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	writes := map[string][]string{
		bus.Ingest: {"datagrams.0"}, bus.Decode: {"flows.0", "counters.0", "held.0"}, bus.Enrich: {"enriched.0"}, bus.Aggregate: {"rollups.0"},
	}
	reads := map[string][]string{
		bus.Decode: {"DATAGRAMS", "HELD"}, bus.Enrich: {"FLOWS"}, bus.Aggregate: {"ENRICHED"}, bus.Insert: {"ENRICHED", "ROLLUPS", "COUNTERS"},
	}
	buckets := map[string]string{bus.Decode: "$KV.TEMPLATES.0.x", bus.Enrich: "$KV.EXPORTERS.0.x", bus.Insert: "$KV.INTENTS.ENRICHED"}
	for _, name := range []string{"streams", bus.Ingest, bus.Decode, bus.Enrich, bus.Aggregate, bus.Insert} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var foreign []string
			for stage, subjects := range writes {
				if stage != name {
					foreign = append(append(foreign, subjects...), "dead."+stage+".0", "members."+stage+".X")
				}
			}
			for stage, bucket := range buckets {
				if stage != name {
					foreign = append(foreign, bucket)
				}
			}
			if name != "streams" {
				foreign = append(foreign, foreignAPI(reads[name])...)
			}
			u := newUser(t, url, name)
			for i, subject := range foreign {
				if err := u.nc.Publish(subject, nil); err != nil {
					t.Fatal(err)
				}
				u.until("refusal of "+subject, func() bool { return u.refused.Load() == int64(i)+1 })
			}
			for i, subject := range []string{">", "datagrams.*", "flows.*", "_INBOX_other.>", "$JS.API.>"} {
				if _, err := u.nc.SubscribeSync(subject); err != nil {
					t.Fatal(err)
				}
				u.until("refusal to listen to "+subject, func() bool { return u.refused.Load() == int64(len(foreign)+i)+1 })
			}
		})
	}
}

// foreignAPI are requests to JetStream that a service that reads the streams own never makes.
func foreignAPI(own []string) []string {
	var all []string
	for _, s := range []string{"DATAGRAMS", "FLOWS", "ENRICHED", "ROLLUPS", "COUNTERS", "HELD", "DEAD", "KV_POSITIONS"} {
		all = append(all, "$JS.API.STREAM.DELETE."+s, "$JS.API.STREAM.UPDATE."+s, "$JS.API.STREAM.MSG.DELETE."+s)
		if !slices.Contains(own, s) {
			all = append(all, "$JS.API.STREAM.PURGE."+s, "$JS.API.CONSUMER.CREATE."+s+".x", "$JS.API.CONSUMER.MSG.NEXT."+s+".x")
		}
	}
	return append(all, "$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.RESTORE.X", "$SYS.REQ.SERVER.PING")
}
