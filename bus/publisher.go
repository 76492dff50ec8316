// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// publisherInFlight bounds how many messages of a Publisher wait for an answer at once.
const publisherInFlight = 64

// Publisher appends the messages of a stage that has no input stream. Each carries an id of
// its own and is published until JetStream has stored it; the stream drops repetitions. It is
// safe for concurrent use.
type Publisher struct {
	b        *Bus
	s        Stream
	maxBytes int64
	id       string        // of this Publisher, in the ids of its messages
	slots    chan struct{} // a message under way has one

	mu      sync.Mutex
	changed *sync.Cond
	counts  map[int]uint64 // messages by partition
	queue   []*outgoing    // to be sent, in order
	pending int64          // octets not stored yet, under way or in the queue
	trouble error          // why the last answer was bad, nil after a good one
	retryAt time.Time
	closed  bool
}

type outgoing struct {
	msg    *nats.Msg
	stored func()
}

// NewPublisher returns a Publisher to s that holds at most maxBytes until they are stored. It
// works until Close.
func (b *Bus) NewPublisher(s Stream, maxBytes int64) *Publisher {
	p := &Publisher{
		b: b, s: s, maxBytes: maxBytes, id: nuid.Next(),
		slots: make(chan struct{}, publisherInFlight), counts: map[int]uint64{},
	}
	p.changed = sync.NewCond(&p.mu)
	go p.run()
	return p
}

// Publish hands m's wire form over; m may be reused at once. It never blocks on JetStream. stored,
// which must not be nil, is called from another goroutine once JetStream has stored it. The error is ErrStreamFull,
// ErrDisconnected or ErrBacklog: nothing was taken.
func (p *Publisher) Publish(partition int, m Message, stored func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(m.SizeVT())
	if p.pending+size > p.maxBytes {
		if p.trouble != nil {
			return p.trouble
		}
		return ErrBacklog
	}
	p.counts[partition]++
	msg := nats.NewMsg(p.s.partition(partition))
	msg.Data = m.AppendVT(make([]byte, 0, size))
	msg.Header.Set(jetstream.MsgIDHeader, p.id+"-"+strconv.Itoa(partition)+"-"+strconv.FormatUint(p.counts[partition], 10))
	p.pending += int64(len(msg.Data))
	p.queue = append(p.queue, &outgoing{msg, stored})
	p.changed.Broadcast()
	return nil
}

// PendingBytes returns the octets that are not stored yet.
func (p *Publisher) PendingBytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending
}

// Flush waits until everything is stored, or ctx ends.
func (p *Publisher) Flush(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock() // or the broadcast could fall between the check and the wait
		defer p.mu.Unlock()
		p.changed.Broadcast()
	})()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		p.changed.Wait()
	}
	return nil
}

// Close ends the Publisher; what is not stored is given up.
func (p *Publisher) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Broadcast()
}

// run sends the queue in order.
func (p *Publisher) run() {
	for {
		p.slots <- struct{}{}
		o, wait := p.next()
		if o == nil {
			return
		}
		time.Sleep(wait)
		answer, err := p.b.js.PublishMsgAsync(o.msg, jetstream.WithExpectStream(p.s.Name))
		if err != nil {
			p.refused(o, err)
			continue
		}
		go p.await(o, answer)
	}
}

// next takes the first message of the queue, nil after Close, and says how long to hold it back.
func (p *Publisher) next() (*outgoing, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.closed {
		p.changed.Wait()
	}
	if p.closed {
		return nil, 0
	}
	o := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return o, time.Until(p.retryAt)
}

func (p *Publisher) await(o *outgoing, answer jetstream.PubAckFuture) {
	select {
	case <-answer.Ok():
		p.b.m.appends.WithLabelValues(p.s.Name, appended).Inc()
		p.b.m.bytes.WithLabelValues(p.s.Name).Add(float64(len(o.msg.Data)))
		p.mu.Lock()
		p.pending -= int64(len(o.msg.Data))
		p.trouble = nil
		p.changed.Broadcast()
		p.mu.Unlock()
		o.stored()
		<-p.slots
	case err := <-answer.Err():
		p.refused(o, err)
	}
}

// refused puts a message back at the head of the queue.
func (p *Publisher) refused(o *outgoing, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	outcome, trouble := failed, ErrDisconnected
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeStreamFull {
		outcome, trouble = full, ErrStreamFull
	}
	p.b.m.appends.WithLabelValues(p.s.Name, outcome).Inc()
	p.trouble = trouble
	p.retryAt = time.Now().Add(fullPause)
	p.queue = append([]*outgoing{o}, p.queue...)
	p.changed.Broadcast()
	<-p.slots
}
