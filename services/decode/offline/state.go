// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/services/decode/internal/datagram"
	"github.com/weirflow/weir/services/decode/internal/template"
)

// Told is what an exporter told about its records.
type Told = template.Told

// State reads the state of an exporter as the service keeps it.
func State(state []byte) (Told, error) {
	limits := template.Limits{
		Domains: math.MaxInt, Templates: math.MaxInt, Fields: template.MaxFields, Samplers: math.MaxInt, Names: math.MaxInt,
	}
	x, err := template.Load(state, limits, &template.Budget{Left: math.MaxInt})
	if err != nil {
		return Told{}, err
	}
	return x.Tell(), nil
}

// ExporterOf returns the exporter of a key under which the service keeps state.
func ExporterOf(key string) (netip.Addr, error) {
	b, err := hex.DecodeString(key)
	if err != nil || len(b) != 16 {
		return netip.Addr{}, fmt.Errorf("key %q: not the address of an exporter", key)
	}
	return netip.AddrFrom16([16]byte(b)).Unmap(), nil
}

// Forget returns what makes the service forget an exporter where it stands among its datagrams.
func Forget(exporter netip.Addr) *flow.Datagrams {
	now := uint64(time.Now().UnixNano()) //nolint:gosec // after 1970
	g := &flow.Datagrams{}
	g.Append(&flow.Datagram{
		Exporter: exporter, Source: netip.AddrPortFrom(exporter, 0), ReceivedNs: now, Payload: datagram.ForgetOrder(),
	})
	return g
}
