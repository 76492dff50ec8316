-- The view traffic as before, but that how far a table reaches back is read from its parts alone: ClickHouse keeps
-- min of a partition's column with each part, and not minOrNull.
CREATE OR REPLACE VIEW traffic AS
WITH
    (SELECT nullIf(min(window_start), toDateTime(0)) FROM flows_1m) AS first_1m,
    (SELECT nullIf(min(window_start), toDateTime(0)) FROM flows_5m) AS first_5m,
    (SELECT nullIf(min(window_start), toDateTime(0)) FROM flows_1h) AS first_1h,
    (SELECT greatest({from:DateTime}, toStartOfHour(arrayMin(arrayFilter(t -> t IS NOT NULL, [first_1m, first_5m, first_1h]))) + 3600)) AS back,
    (SELECT multiIf(
        {step:UInt32} > 3540 AND ifNull(first_1h <= back, false), 3600,
        {step:UInt32} > 240 AND ifNull(first_5m <= back, false), 300,
        ifNull(first_1m <= back, false), 60,
        ifNull(first_5m <= back, false), 300,
        3600)) AS window_seconds,
    assumeNotNull((SELECT toUInt32(intDiv(greatest({step:UInt32}, 1) + window_seconds - 1, window_seconds) * window_seconds))) AS step_seconds,
    assumeNotNull((SELECT toDateTime(intDiv(toUInt32({from:DateTime}), step_seconds) * step_seconds))) AS first_step
SELECT
    toDateTime(intDiv(toUInt32(window_start), step_seconds) * step_seconds) AS time,
    step_seconds AS seconds,
    *,
    bytes_scaled * 8 / step_seconds AS bps,
    packets_scaled / step_seconds AS pps
FROM
(
    SELECT window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name,
        etype, proto, forwarding_status, sampler_ip, proto_name, etype_name, bytes, packets, flows, bytes_scaled, packets_scaled
    FROM flows_1m WHERE window_seconds = 60 AND window_start >= first_step AND window_start < {to:DateTime}
    UNION ALL
    SELECT window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name,
        etype, proto, forwarding_status, sampler_ip, proto_name, etype_name, bytes, packets, flows, bytes_scaled, packets_scaled
    FROM flows_5m WHERE window_seconds = 300 AND window_start >= first_step AND window_start < {to:DateTime}
    UNION ALL
    SELECT window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name,
        etype, proto, forwarding_status, sampler_ip, proto_name, etype_name, bytes, packets, flows, bytes_scaled, packets_scaled
    FROM flows_1h WHERE window_seconds = 3600 AND window_start >= first_step AND window_start < {to:DateTime}
);
