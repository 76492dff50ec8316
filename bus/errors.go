// SPDX-License-Identifier: Apache-2.0

package bus

import "errors"

var (
	// ErrStreamFull is returned by Publisher.Publish while the stream takes nothing more.
	ErrStreamFull = errors.New("stream is full")
	// ErrDisconnected is returned by Publisher.Publish while JetStream does not answer and
	// the memory for what waits is used up.
	ErrDisconnected = errors.New("JetStream is away")
	// ErrBacklog is returned by Publisher.Publish while JetStream answers, but more slowly
	// than messages come, and the memory for what waits is used up.
	ErrBacklog = errors.New("JetStream is too slow")
	// ErrPartitions is returned by Ensure and Process when the streams were made with
	// another number of partitions.
	ErrPartitions error = misconfigured("partition count differs")
	// ErrMaxPayload is returned by Ensure and Process when the server takes only smaller
	// messages than a stage may have to append.
	ErrMaxPayload error = misconfigured("NATS server's max_payload is too small")
)

// misconfigured is an error that only another configuration mends: the process exits
// with the code for that.
type misconfigured string

func (m misconfigured) Error() string     { return string(m) }
func (misconfigured) Misconfigured() bool { return true }

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// Permanent marks an error of Handler.Handle that another try would not mend: the message
// goes to the DEAD stream with the error's text as the reason.
func Permanent(err error) error { return permanentError{err} }

// Refusal is a part of a Sink's batch that will never be written.
type Refusal struct {
	Message int     // its place in the batch
	Rows    Message // what of the message is refused; nil is the whole message
	First   int     // the first of these rows in the message; tells the parts of a message apart
	Reason  error
}

type refusedError []Refusal

func (e refusedError) Error() string { return "part of the batch was refused" }

// Refused is the error of a Sink's write that has written its batch but for some parts: each
// goes to the DEAD stream with its reason, and the batch is done.
func Refused(parts []Refusal) error { return refusedError(parts) }
