-- What aggregate makes of the flows of {from} to {to} (seconds since 1970), but that a flow is in the window of its receipt.
INSERT INTO flows_1m (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country,
    src_net_name, dst_net_name, etype, proto, forwarding_status, bytes, packets, flows, bytes_scaled, packets_scaled)
SELECT toStartOfMinute(time_received_ns) AS w, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country,
    src_net_name, dst_net_name, etype, proto, forwarding_status, sum(bytes), sum(packets), count(), sum(bytes_scaled), sum(packets_scaled)
FROM flows WHERE time_received_ns >= toDateTime({from}) AND time_received_ns < toDateTime({to}) GROUP BY ALL;

INSERT INTO flows_5m (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country,
    src_net_name, dst_net_name, etype, proto, forwarding_status, bytes, packets, flows, bytes_scaled, packets_scaled)
SELECT toStartOfFiveMinutes(window_start) AS w, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country,
    src_net_name, dst_net_name, etype, proto, forwarding_status, sum(bytes), sum(packets), sum(flows), sum(bytes_scaled), sum(packets_scaled)
FROM flows_1m WHERE window_start >= toDateTime({from}) AND window_start < toDateTime({to}) GROUP BY ALL;

INSERT INTO flows_1h (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country,
    src_net_name, dst_net_name, etype, proto, forwarding_status, bytes, packets, flows, bytes_scaled, packets_scaled)
SELECT toStartOfHour(window_start) AS w, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country,
    src_net_name, dst_net_name, etype, proto, forwarding_status, sum(bytes), sum(packets), sum(flows), sum(bytes_scaled), sum(packets_scaled)
FROM flows_5m WHERE window_start >= toDateTime({from}) AND window_start < toDateTime({to}) GROUP BY ALL;

INSERT INTO interfaces_1m (window_start, sampler_address, interface, direction, bytes, packets, flows, bytes_scaled, packets_scaled, interface_speed)
SELECT toStartOfMinute(time_received_ns) AS w, sampler_address, i.1, i.2, sum(bytes), sum(packets), count(), sum(bytes_scaled), sum(packets_scaled), max(i.3)
FROM flows ARRAY JOIN [(in_if, 0, in_if_speed), (out_if, 1, out_if_speed)] AS i
WHERE time_received_ns >= toDateTime({from}) AND time_received_ns < toDateTime({to}) GROUP BY ALL;

-- One datagram of 1000 is lost.
INSERT INTO exporter_health (time, exporter, datagrams, missing)
SELECT toStartOfMinute(time_received_ns) AS w, sampler_address, uniqExact(sequence_num), countIf(sequence_num % 1000 = 0) > 0
FROM flows WHERE time_received_ns >= toDateTime({from}) AND time_received_ns < toDateTime({to}) GROUP BY ALL;
