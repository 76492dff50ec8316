// SPDX-License-Identifier: Apache-2.0

package meter_test

import (
	"math"
	"testing"
	"time"

	"github.com/weirflow/weir/services/probe/internal/element"
	"github.com/weirflow/weir/services/probe/internal/meter"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// pattern is what a selector does with packets that are a millisecond apart.
func pattern(s meter.Selector, packets int) string {
	var b []byte
	for i := range packets {
		taken := byte('.')
		if s.Select(&packet.Packet{Time: int64(time.Second) + int64(i)*int64(time.Millisecond)}) {
			taken = 'x'
		}
		b = append(b, taken)
	}
	return string(b)
}

func TestSelectorsSelectAsRFC5475Says(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		selector meter.Selector
		want     string
	}{
		"all":                {meter.Selector{}, "xxxxxxxxxx"},
		"2 of 5 by count":    {meter.Selector{Method: meter.CountBased, Interval: 2, Space: 3}, "xx...xx..."},
		"count with space 0": {meter.Selector{Method: meter.CountBased, Interval: 1}, "xxxxxxxxxx"},
		"3 of 5 ms":          {meter.Selector{Method: meter.TimeBased, TimeInterval: 3 * time.Millisecond, TimeSpace: 2 * time.Millisecond}, "xxx..xxx.."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := pattern(tt.selector, len(tt.want)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestRandomSelectorTakesExactlyNOfEachN(t *testing.T) {
	t.Parallel()
	s := meter.Selector{Method: meter.RandomOfN, Size: 3, Population: 10}
	places := [10]int{}
	const rounds = 3000
	for range rounds {
		taken := 0
		for i := range places {
			if s.Select(&packet.Packet{}) {
				places[i]++
				taken++
			}
		}
		if taken != 3 {
			t.Fatalf("%d of 10 were taken, want 3", taken)
		}
	}
	for i, n := range places {
		if math.Abs(float64(n)-0.3*rounds) > 150 { // 6 standard deviations
			t.Errorf("place %d was taken %d times of %d, want about 3 in 10", i, n, rounds)
		}
	}
}

func TestUniformSelectorKeepsItsProbability(t *testing.T) {
	t.Parallel()
	s := meter.Selector{Method: meter.Uniform, Probability: 0.2}
	taken := 0
	const packets = 20_000
	for range packets {
		if s.Select(&packet.Packet{}) {
			taken++
		}
	}
	if math.Abs(float64(taken)-0.2*packets) > 340 { // 6 standard deviations
		t.Errorf("%d of %d were taken, want about 1 in 5", taken, packets)
	}
}

func TestMatchSelectsByValue(t *testing.T) {
	t.Parallel()
	e, _ := element.ByName("destinationTransportPort")
	s := meter.Selector{Method: meter.Match, Element: e, Value: []byte{0, 53}}
	if !s.Select(&packet.Packet{DstPort: 53}) || s.Select(&packet.Packet{DstPort: 54}) {
		t.Error("want port 53 and no other")
	}
}
