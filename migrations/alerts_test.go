// SPDX-License-Identifier: Apache-2.0

package migrations

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
)

func TestAlertsAreConditionsThatHold(t *testing.T) {
	t.Parallel()
	conn := migrated(t, clickhousetest.New(t))
	if got := texts(t, conn, "SELECT * FROM alerts"); got != "" {
		t.Errorf("nothing has come yet: %q", got)
	}
	execute(t, conn,
		// 192.0.2.1 is well, and each of the others has one trouble.
		`INSERT INTO exporter_health (time, exporter, datagrams, flows, missing, sampling_unknown, clock_ahead_ms) VALUES
			(now() - 60, toIPv6('192.0.2.1'), 1000, 20000, 0, 0, 30), (now() - 3600, toIPv6('192.0.2.2'), 1000, 20000, 0, 0, 0),
			(now() - 60, toIPv6('192.0.2.3'), 950, 20000, 50, 0, 0), (now() - 60, toIPv6('192.0.2.4'), 1000, 20000, 0, 20000, 0),
			(now() - 60, toIPv6('2001:db8::5'), 1000, 20000, 0, 0, 120000)`,
		`INSERT INTO flows_5m (window_start, sampler_address, bytes_scaled) SELECT toStartOfFiveMinutes(now()) - 1800 - w, toIPv6(concat('192.0.2.', toString(e))), if(e = 6 AND w = 0, 5000, 1000)
			FROM (SELECT arrayJoin([0, 604800]) AS w, arrayJoin([1, 6]) AS e)`)
	const want = "clock skew 2001:db8::5 120\nexporter silent 192.0.2.2 3600\nloss 192.0.2.3 0.05\nsampling unknown 192.0.2.4 1\nunusual traffic 192.0.2.6 5\n"
	if diff := cmp.Diff(want, texts(t, conn, "SELECT alert, exporter_ip, if(alert = 'exporter silent', round(value, -2), value) FROM alerts ORDER BY alert")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
