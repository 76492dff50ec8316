// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"context"
	"time"
)

// Message is a batch of rows with its wire form; the names are those that vtprotobuf
// generates.
type Message interface {
	Rows() int
	Reset()
	SizeVT() int // may be a little too great
	AppendVT(dst []byte) []byte
	UnmarshalVTUnsafe(p []byte) error // aliases p
}

// message is a Message that is a pointer to T.
type message[T any] interface {
	*T
	Message
}

// Handler turns the messages of one partition, in order, into output.
type Handler[In, Out any] interface {
	// Handle adds what comes of in to out, which may hold rows of earlier messages already;
	// what is appended to the stream covers all of them. Out may keep references into in.
	//
	// An error is transient: the partition is opened again and in comes again. Permanent(err),
	// and a panic, put in into the DEAD stream, and the partition goes on without it.
	Handle(ctx context.Context, in *In, out *Out) error
}

// Holder is a Handler that keeps what it is given until it is flushed. Its position moves
// only with a flush; what it held without one comes again after a crash.
type Holder[Out any] interface {
	// Due returns when to flush, the zero time when nothing is held. It may be due without
	// input since the last flush; the message then has the position of the one before.
	Due() time.Time
	// Flush moves what is held to out.
	Flush(ctx context.Context, out *Out) error
}

// Sider is a Handler that has other outputs beside the one of its stage.
//
// Their rows are stored before the output that covers the same input, each once, if Handle makes
// the same rows of an input whenever that comes to it in the same state.
type Sider interface {
	// Sides is called once, after the partition was opened.
	Sides() []Side
}

// Side is another output of a stage.
type Side struct {
	Stream Stream
	// Message is the handler's own: Handle adds rows to it. It is emptied when it is appended, and
	// where its rows are there from before a crash.
	Message Message
	// Keep makes the side a log, which only the stage itself reads. It returns the position of
	// the oldest input of whose rows there is need, the zero Position where there is none; the rows
	// of older ones are deleted some time after.
	Keep func() Position
}
