// SPDX-License-Identifier: Apache-2.0

package traffic

import (
	"math"
	"time"
)

// quiet is the rate of the quietest hour, as a share of that of the busiest.
const quiet = 0.3

// flowsIn returns how many flows fall into the time between start and start+elapsed at a rate, in
// flows per second, that is reached in the busiest hour of a day: at a sixth of it traffic is least, at four
// o'clock, and two thirds at most, at four in the afternoon. Days begin as those of UTC do, so a
// day of 24 hours is that of the clock. Without a day the rate is the same at all times.
func flowsIn(day time.Duration, rate float64, start time.Time, elapsed time.Duration) float64 {
	if day <= 0 {
		return rate * elapsed.Seconds()
	}
	const mean, swing = (1 + quiet) / 2, (1 - quiet) / 2
	turn := 2 * math.Pi / day.Seconds()
	// The rate is mean - swing × cos(phase); this is its integral.
	at := func(t time.Duration) float64 {
		phase := turn*t.Seconds() - 2*math.Pi/6
		return mean*t.Seconds() - swing/turn*math.Sin(phase)
	}
	since := time.Duration(start.UnixNano() % day.Nanoseconds())
	return rate * (at(since+elapsed) - at(since))
}
