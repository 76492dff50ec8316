// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Publisher appends the messages of a stage that has no input stream. Each carries an id of
// its own and is published until JetStream has stored it; the stream drops repetitions. The
// messages of a partition are stored in order, one at a time. It is safe for concurrent use.
type Publisher struct {
	b        *Bus
	s        Stream
	maxBytes int64
	id       string // of this Publisher, in the ids of its messages

	mu      sync.Mutex
	stored  *sync.Cond    // pending became less
	lanes   map[int]*lane // by partition
	pending int64         // octets not stored yet
	trouble error         // why the last answer was bad or there was none yet, nil after a good one
	send    func(*lane)   // nil while Run does not run
}

// lane is the way of one partition.
type lane struct {
	count uint64 // messages so far
	queue []*outgoing
	busy  bool // somebody sends the queue
}

type outgoing struct {
	msg    *nats.Msg
	stored func()
}

// NewPublisher returns a Publisher to s that holds at most maxBytes until they are stored.
func (b *Bus) NewPublisher(s Stream, maxBytes int64) *Publisher {
	p := &Publisher{b: b, s: s, maxBytes: maxBytes, id: nuid.Next(), lanes: map[int]*lane{}, trouble: ErrDisconnected}
	p.stored = sync.NewCond(&p.mu)
	return p
}

// Run sends what is published until ctx ends; what is not stored then is given up. It returns
// ErrPartitions or ErrMaxPayload if the streams do not fit the configuration.
func (p *Publisher) Run(ctx context.Context) error {
	if err := p.b.await(ctx); err != nil {
		return err
	}
	var sending sync.WaitGroup
	p.mu.Lock()
	p.trouble = nil
	p.send = func(l *lane) {
		l.busy = true
		sending.Go(func() { p.drain(ctx, l) })
	}
	for _, l := range p.lanes {
		p.send(l)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.send = nil
	p.mu.Unlock()
	sending.Wait()
	return nil
}

// Publish hands m's wire form over; m may be reused at once. It never blocks on JetStream. stored,
// which must not be nil, is called from another goroutine once JetStream has stored it. The error
// is ErrStreamFull, ErrDisconnected or ErrBacklog: nothing was taken.
func (p *Publisher) Publish(partition int, m Message, stored func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(m.SizeVT())
	if p.pending+size > p.maxBytes {
		return p.troubleLocked()
	}
	l := p.lanes[partition]
	if l == nil {
		l = &lane{}
		p.lanes[partition] = l
	}
	l.count++
	msg := nats.NewMsg(p.s.partition(partition))
	msg.Data = m.AppendVT(make([]byte, 0, size))
	msg.Header.Set(jetstream.MsgIDHeader, p.id+"-"+strconv.Itoa(partition)+"-"+strconv.FormatUint(l.count, 10))
	p.pending += int64(len(msg.Data))
	l.queue = append(l.queue, &outgoing{msg, stored})
	if p.send != nil && !l.busy {
		p.send(l)
	}
	return nil
}

// Trouble returns the error that Publish has now for what does not fit.
func (p *Publisher) Trouble() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.troubleLocked()
}

func (p *Publisher) troubleLocked() error {
	if p.trouble != nil {
		return p.trouble
	}
	return ErrBacklog
}

// PendingBytes returns the octets that are not stored yet.
func (p *Publisher) PendingBytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending
}

// Flush waits until everything is stored and said to be, or ctx ends.
func (p *Publisher) Flush(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock() // or the broadcast could fall between the check and the wait
		defer p.mu.Unlock()
		p.stored.Broadcast()
	})()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.stored.Wait()
	}
	return nil
}

// drain sends the queue of a lane until it is empty or ctx ends.
func (p *Publisher) drain(ctx context.Context, l *lane) {
	for {
		p.mu.Lock()
		if len(l.queue) == 0 || ctx.Err() != nil {
			l.busy = false
			p.mu.Unlock()
			return
		}
		o := l.queue[0]
		p.mu.Unlock()
		if !p.store(ctx, o.msg) {
			continue
		}
		o.stored()
		p.mu.Lock()
		l.queue[0] = nil
		l.queue = l.queue[1:]
		p.pending -= int64(len(o.msg.Data))
		p.stored.Broadcast()
		p.mu.Unlock()
	}
}

// Refuse makes the Publishers of b behave as if their streams were full, or ends that.
func (b *Bus) Refuse(full bool) { b.refuse.Store(full) }

// store publishes a message until it is stored; false means that ctx has ended.
func (p *Publisher) store(ctx context.Context, msg *nats.Msg) bool {
	for {
		try, cancel := context.WithTimeout(ctx, publishTimeout)
		err := ErrStreamFull
		if !p.b.refuse.Load() {
			_, err = p.b.js.PublishMsg(try, msg, jetstream.WithExpectStream(p.s.Name))
		}
		cancel()
		p.note(err, len(msg.Data))
		if err == nil {
			return true
		}
		if !pause(ctx, fullPause) {
			return false
		}
	}
}

// note counts an answer and remembers what is wrong.
func (p *Publisher) note(err error, size int) {
	outcome, trouble := appended, error(nil)
	var api *jetstream.APIError
	switch {
	case err == nil:
		p.b.m.bytes.WithLabelValues(p.s.Name).Add(float64(size))
	case errors.Is(err, ErrStreamFull), errors.As(err, &api) && api.ErrorCode == codeStreamFull:
		outcome, trouble = full, ErrStreamFull
	default:
		outcome, trouble = failed, ErrDisconnected
	}
	p.b.m.appends.WithLabelValues(p.s.Name, outcome).Inc()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = trouble
}
