// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirflow/weir/services/probe/internal/capture"
)

func TestPaceKeepsTheTimesOfPacketsOrScalesThem(t *testing.T) {
	t.Parallel()
	for speed, want := range map[float64]time.Duration{0: 0, 1: 10 * time.Second, 4: 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			pace := capture.Pace{Speed: speed}
			began := time.Now()
			for _, at := range []int64{100e9, 103e9, 110e9} {
				if !pace.Wait(t.Context(), at) {
					t.Fatal("the context has not ended")
				}
			}
			if took := time.Since(began); took != want {
				t.Errorf("10 s at speed %v took %v, want %v", speed, took, want)
			}
		})
	}
}
