// SPDX-License-Identifier: Apache-2.0

// Package sequence finds gaps in sequence numbers of 32 bits.
package sequence

// Tracker follows one sequence. Its zero value takes any number as the first.
type Tracker struct {
	next  uint32
	known bool
}

// window is how far ahead a number may be and still tell of a loss: beyond, the
// exporter started again.
const window = 1 << 20

// Advance takes the number of a datagram that covers n units and tells whether
// units before it are missing. A number from before (a datagram that came late or
// twice) is no gap and does not move the sequence.
func (t *Tracker) Advance(number, n uint32) (gap bool) {
	ahead := number - t.next
	late := t.known && -ahead < window && ahead != 0
	if late {
		return false
	}
	gap = t.known && ahead != 0 && ahead < window
	t.next, t.known = number+n, true
	return gap
}

// Lose forgets the sequence, where a datagram's units could not be counted.
func (t *Tracker) Lose() { t.known = false }
