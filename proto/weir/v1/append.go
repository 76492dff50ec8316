// SPDX-License-Identifier: Apache-2.0

package weirv1

import (
	"fmt"
	"slices"
)

// AppendVT appends the wire form to dst.
func (x *DatagramBatch) AppendVT(dst []byte) []byte { return appendVT(dst, x) }

// AppendVT appends the wire form to dst.
func (x *RollupBatch) AppendVT(dst []byte) []byte { return appendVT(dst, x) }

// AppendVT appends the wire form to dst.
func (x *HeldBatch) AppendVT(dst []byte) []byte { return appendVT(dst, x) }

func appendVT(dst []byte, m interface {
	SizeVT() int
	MarshalToSizedBufferVT([]byte) (int, error)
},
) []byte {
	n := m.SizeVT()
	dst = slices.Grow(dst, n)
	if _, err := m.MarshalToSizedBufferVT(dst[len(dst) : len(dst)+n]); err != nil {
		panic(fmt.Sprintf("marshal %T: %v", m, err)) // the generated code has no case for an error here
	}
	return dst[:len(dst)+n]
}

// Rows returns the rows of all rollups together.
func (x *RollupBatch) Rows() int {
	n := 0
	for _, r := range x.GetRollups() {
		n += int(r.GetRows())
	}
	return n
}
