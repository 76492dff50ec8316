// SPDX-License-Identifier: Apache-2.0

package enrich

// marks remembers a place for each of some numbers, until the next batch.
type marks struct {
	epoch uint32
	of    []uint32 // the epoch above placeBits, the place below
}

const (
	placeBits = 22 // more than a batch has rows
	lastEpoch = 1<<(32-placeBits) - 1
)

// next forgets all.
func (m *marks) next() {
	if m.epoch == lastEpoch {
		clear(m.of)
		m.epoch = 0
	}
	m.epoch++
}

// grow makes room for numbers below n.
func (m *marks) grow(n int) {
	if n > len(m.of) {
		m.of = append(m.of, make([]uint32, n-len(m.of))...)
	}
}

func (m *marks) get(number uint32) (place uint32, ok bool) {
	mark := m.of[number]
	return mark & (1<<placeBits - 1), mark>>placeBits == m.epoch
}

func (m *marks) set(number, place uint32) { m.of[number] = m.epoch<<placeBits | place }

// distinct is a column of numbers as the different ones and a place among them for each row, so
// that work is done once for those that a batch has often.
type distinct struct {
	present []uint32 // the different numbers
	at      []uint32 // a place in present for each row
	places  marks    // in present
}

// gather replaces what was gathered before. All numbers are below n.
func (d *distinct) gather(numbers []uint32, n int) {
	d.places.next()
	d.places.grow(n)
	d.present, d.at = d.present[:0], d.at[:0]
	for _, n := range numbers {
		place, ok := d.places.get(n)
		if !ok {
			place = uint32(len(d.present)) //nolint:gosec // at most one a row
			d.places.set(n, place)
			d.present = append(d.present, n)
		}
		d.at = append(d.at, place)
	}
}
