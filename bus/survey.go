// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Survey is how the pipeline stands, as the server and the workers tell it.
type Survey struct {
	Stages  []StageSurvey  `json:"stages"`
	Streams []StreamSurvey `json:"streams"`
}

// StageSurvey is how far one stage has got with one stream.
type StageSurvey struct {
	Stage      string            `json:"stage"`
	Stream     string            `json:"stream"`
	Workers    []string          `json:"workers"`
	Lag        uint64            `json:"lag_messages"` // of all partitions
	Partitions []PartitionSurvey `json:"partitions"`
}

// PartitionSurvey is how far a stage has got with one partition.
type PartitionSurvey struct {
	Partition int    `json:"partition"`
	Worker    string `json:"worker,omitempty"` // empty: nobody has it
	Covered   uint64 `json:"covered"`          // last sequence that the stage told to have covered
	Lag       uint64 `json:"lag_messages"`     // behind it
}

// StreamSurvey is how full a stream or bucket is.
type StreamSurvey struct {
	Name     string `json:"name"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
	MaxBytes int64  `json:"max_bytes"`
	Replicas int    `json:"replicas"`
}

// Survey asks the server for the streams and the workers for themselves, for which it listens a
// moment. What stages tell about how far they have got is up to two seconds old.
func (b *Bus) Survey(ctx context.Context) (Survey, error) {
	var s Survey
	for _, name := range streamNames() {
		use, err := b.use(ctx, name)
		if err != nil {
			return s, err
		}
		s.Streams = append(s.Streams, use)
	}
	for _, stream := range streams() {
		for _, stage := range stream.readers {
			if stream.Name == Held.Name { // which nobody works off
				continue
			}
			st, err := b.surveyStage(ctx, stream, stage)
			if err != nil {
				return s, err
			}
			s.Stages = append(s.Stages, st)
		}
	}
	return s, nil
}

// streamNames are the names of all streams, those of the buckets too.
func streamNames() (names []string) {
	for _, s := range streams() {
		names = append(names, s.Name)
	}
	names = append(names, deadName)
	for _, bucket := range buckets() {
		names = append(names, "KV_"+string(bucket))
	}
	return names
}

func (b *Bus) use(ctx context.Context, name string) (StreamSurvey, error) {
	stream, err := b.js.Stream(ctx, name)
	if err != nil {
		return StreamSurvey{}, fmt.Errorf("look up stream %s: %w", name, err)
	}
	info := stream.CachedInfo()
	return StreamSurvey{
		Name: name, Messages: info.State.Msgs, Bytes: info.State.Bytes,
		MaxBytes: info.Config.MaxBytes, Replicas: info.Config.Replicas,
	}, nil
}

func (b *Bus) surveyStage(ctx context.Context, s Stream, stage string) (StageSurvey, error) {
	workers, err := b.askWorkers(ctx, s, stage)
	if err != nil {
		return StageSurvey{}, err
	}
	st := StageSurvey{Stage: stage, Stream: s.Name, Workers: workers}
	owners := make([]string, b.cfg.Partitions)
	if len(workers) > 0 {
		owners = assign(workers, b.cfg.Partitions)
	}
	for p, owner := range owners {
		covered, err := b.told(ctx, s, stage, p)
		if err != nil {
			return st, err
		}
		lag, err := b.behind(ctx, s, p, covered)
		if err != nil {
			return st, err
		}
		st.Lag += lag
		st.Partitions = append(st.Partitions, PartitionSurvey{Partition: p, Worker: owner, Covered: covered, Lag: lag})
	}
	return st, nil
}

// askTime is how long workers have to say that they are there.
const askTime = 200 * time.Millisecond

// askWorkers returns the workers of a stage, in order.
func (b *Bus) askWorkers(ctx context.Context, s Stream, stage string) ([]string, error) {
	m := newMembers(stage + "." + s.Name)
	sub, err := b.nc.Subscribe(m.subject, func(msg *nats.Msg) {
		if len(msg.Data) > 0 && msg.Data[0] == here {
			m.hear(msg)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", m.subject, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := b.nc.Publish(m.subject, append([]byte{who}, m.id...)); err != nil {
		return nil, fmt.Errorf("ask for workers: %w", err)
	}
	if !pause(ctx, askTime) {
		return nil, ctx.Err()
	}
	return m.others(), nil
}

// Lag returns how many messages of a stream wait for a stage, by what it told last.
func (b *Bus) Lag(ctx context.Context, s Stream, stage string) (sum uint64, err error) {
	for p := range b.cfg.Partitions {
		n, err := b.lag(ctx, s, stage, p)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
