-- Addresses as text where 0010 came too early: IPv4 alone is without ::ffff:.
ALTER TABLE interface_counters MODIFY COLUMN sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address));
ALTER TABLE vlan_counters MODIFY COLUMN sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address));
ALTER TABLE host_counters MODIFY COLUMN sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address));
ALTER TABLE optical_counters MODIFY COLUMN sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address));
ALTER TABLE exporter_statistics MODIFY COLUMN sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address));
ALTER TABLE exporter_health MODIFY COLUMN exporter_ip String ALIAS if(exporter BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(exporter), 8), toString(exporter));

-- What an operator wants to know of now, a row for each exporter and condition that holds; no row: all is well. It is
-- a view and no table, since nothing has to write it and no alert can be left behind in it. The value is in the
-- unit that the text names. The alerts of Grafana ask with limits and delays of their own.
CREATE VIEW IF NOT EXISTS alerts AS
SELECT 'exporter silent' AS alert, exporter, any(exporter_ip) AS exporter_ip, toFloat64(now() - max(time)) AS value, 'seconds since its last datagram' AS text
FROM exporter_health
WHERE time >= now() - INTERVAL 1 DAY
GROUP BY exporter
HAVING max(time) < now() - INTERVAL 15 MINUTE
UNION ALL
SELECT 'loss', exporter, any(exporter_ip), sum(missing) / (sum(datagrams) + sum(missing)), 'part of its datagrams that did not come in half an hour'
FROM exporter_health
WHERE time >= now() - INTERVAL 30 MINUTE
GROUP BY exporter
HAVING sum(missing) > 0.01 * (sum(datagrams) + sum(missing))
UNION ALL
SELECT 'sampling unknown', exporter, any(exporter_ip), sum(sampling_unknown) / sum(flows), 'part of its flows without a sampling interval in half an hour'
FROM exporter_health
WHERE time >= now() - INTERVAL 30 MINUTE
GROUP BY exporter
HAVING sum(sampling_unknown) > 0.01 * sum(flows)
UNION ALL
SELECT 'clock skew', exporter, any(exporter_ip), greatest(max(clock_ahead_ms), max(clock_behind_ms)) / 1000, 'seconds that its clock was wrong at most in half an hour'
FROM exporter_health
WHERE time >= now() - INTERVAL 30 MINUTE
GROUP BY exporter
HAVING greatest(max(clock_ahead_ms), max(clock_behind_ms)) > 60000
UNION ALL
-- Half an hour of whole windows, and the same of a week ago.
SELECT 'unusual traffic', sampler_address, any(sampler_ip), sumIf(bytes_scaled, window_start >= now() - INTERVAL 1 DAY) / sumIf(bytes_scaled, window_start < now() - INTERVAL 1 DAY) AS times,
    'times the traffic of a week ago in half an hour'
FROM flows_5m
WHERE window_start >= toStartOfFiveMinutes(now()) - INTERVAL 40 MINUTE AND window_start < toStartOfFiveMinutes(now()) - INTERVAL 10 MINUTE
    OR window_start >= toStartOfFiveMinutes(now()) - INTERVAL 10120 MINUTE AND window_start < toStartOfFiveMinutes(now()) - INTERVAL 10090 MINUTE
GROUP BY sampler_address
HAVING isFinite(times) AND (times > 3 OR times < 1. / 3);
