-- A day of flows as NetFlow v9 routers of a provider send them: {rows} rows up to {end} (seconds since 1970), rows {from} to {to} of them.
--
-- Everything is made of the row's number by hashes: the same number makes the same row. Rates follow the
-- day. Hosts, exporters and autonomous systems are as skewed as they are met: a power of an even
-- distribution. 25 records come in a datagram, times are in ms, and most sampled flows have few packets.
INSERT INTO flows
(
    type, time_received_ns, time_flow_start_ns, time_flow_end_ns, sequence_num, sampling_rate, bytes, packets, etype, proto,
    src_port, dst_port, in_if, out_if, ip_tos, tcp_flags, src_as, dst_as, src_net, dst_net, forwarding_status, icmp_type,
    src_vlan, dst_vlan, observation_domain_id, flow_direction, flow_end_reason, src_origin_as, dst_origin_as, src_country, dst_country, quality,
    src_addr, dst_addr, sampler_address, next_hop, bgp_next_hop, insert_id,
    exporter_name, exporter_site, exporter_role, in_if_name, in_if_description, in_if_speed, in_if_boundary,
    out_if_name, out_if_description, out_if_speed, out_if_boundary, src_net_name, dst_net_name, src_net_tenant, dst_net_tenant,
    src_as_name, dst_as_name, tenant, nat_event, post_nat_src_addr, post_nat_src_port
)
WITH
    (n, k) -> cityHash64(n, k) / 18446744073709551616. AS even, -- 0 to 1
    n -> toIPv6(IPv4NumToString(toUInt32(n))) AS v4,
    x -> x + 0.5 * sin(2 * pi() * x) / (2 * pi()) AS day,
    -- what came when, and from whom
    intDiv(number, 25) AS datagram,
    toUInt16(32 * pow(even(datagram, 1), 2)) AS exporter,
    toInt64(({end} - 86400) * 1e9 + 86400e9 * day(datagram / ({rows} / 25)) + even(datagram, 2) * 1e5) AS received,
    -- a client of ours and a server somewhere, and who of them sends
    toUInt32(400000 * pow(even(number, 3), 3)) AS client,
    toUInt32(20000 * pow(even(number, 4), 4)) AS server,
    even(server, 5) < 0.15 AS v6,
    even(number, 6) < 0.45 AS up,
    toUInt32(3000 * pow(even(server, 7), 3)) AS network,
    if(v6, toIPv6(concat('2001:db8:', hex(toUInt16(client % 4096)), '::', hex(toUInt16(intDiv(client, 4096) + 1)))), v4(3323068416 + client)) AS client_addr,
    if(v6, toIPv6(concat('2a00:', hex(toUInt16(network + 4096)), ':', hex(toUInt16(server)), '::1')), v4(335544320 + 65536 * (network % 40000) + cityHash64(server, 8) % 65536)) AS server_addr,
    64500 + client % 4 AS client_as,
    1000 + network * 7 AS server_as,
    1 + client % 40 AS access,
    41 + network % 8 AS uplink,
    ['US', 'DE', 'NL', 'GB', 'FR', 'IE', 'SE', 'JP', 'SG', 'BR', 'IN', 'CN', 'RU', 'PL', 'IT', 'ES', 'CA', 'AU', 'CH', 'AT'][1 + network % 20] AS server_country,
    -- the service
    [443, 443, 443, 443, 443, 443, 443, 443, 80, 80, 53, 53, 123, 22, 25, 993, 8080, 3389, 5060, 0][1 + (cityHash64(server, 9) % 17 + cityHash64(number, 9) % 4)] AS service,
    multiIf(service = 0, 1, service IN (53, 123, 5060), 17, service = 443 AND even(number, 10) < 0.3, 17, 6) AS protocol,
    if(protocol = 1, 0, 32768 + cityHash64(number, 11) % 28232) AS ephemeral,
    toUInt64(least(pow(1 - even(number, 12), -0.8), 1e6)) AS count,
    if(up, [40, 52, 52, 64, 40 + cityHash64(number, 13) % 600], [1500, 1500, 1492, 52, 40 + cityHash64(number, 13) % 1400])[1 + cityHash64(number, 14) % 5] AS size,
    if(count = 1, 0, toInt64(60000 * pow(even(number, 15), 3))) AS duration_ms,
    intDiv(received, 1000000) - 1 - cityHash64(number, 16) % 15000 AS ended_ms,
    exporter = 31 AND number % 4 = 0 AS translated
SELECT
    3, fromUnixTimestamp64Nano(received), fromUnixTimestamp64Nano((ended_ms - duration_ms) * 1000000), fromUnixTimestamp64Nano(ended_ms * 1000000), datagram, [1000, 1000, 2000, 100][1 + exporter % 4], count * size, count, if(v6, 34525, 2048), protocol,
    if(up, ephemeral, service), if(up, service, ephemeral), if(up, access, uplink), if(up, uplink, access), [0, 0, 0, 0, 0, 0, 40, 72, 184][1 + cityHash64(server, 17) % 9],
    if(protocol = 6, [16, 24, 16, 24, 2, 18, 17, 27][1 + cityHash64(number, 18) % 8], 0), if(up, client_as, server_as), if(up, server_as, client_as), if(up, 24, 12 + network % 13), if(up, 12 + network % 13, 24),
    if(cityHash64(number, 19) % 200 = 0, 128, 64), if(protocol = 1, 8, 0),
    if(up, 100 + access, 0), if(up, 0, 100 + access), exporter, 0, 1 + cityHash64(number, 20) % 3, if(up, client_as, server_as), if(up, server_as, client_as),
    if(up, 'DE', server_country), if(up, server_country, 'DE'), 0,
    if(up, client_addr, server_addr), if(up, server_addr, client_addr), v4(3232235777 + exporter), v4(3227017984 + 256 * exporter + if(up, uplink, access)), v4(3227017984 + 256 * exporter + if(up, uplink, 0)),
    if(number % 200000 = 0, cityHash64(number), 0),
    concat('router-', toString(exporter)), ['fra', 'ams', 'lon', 'par'][1 + exporter % 4], if(exporter < 8, 'edge', 'access'),
    concat('xe-0/0/', toString(if(up, access, uplink))), if(up, concat('customers ', toString(access)), concat('transit ', toString(uplink))), if(up, 10000000000, 100000000000), if(up, 'internal', 'external'),
    concat('xe-0/0/', toString(if(up, uplink, access))), if(up, concat('transit ', toString(uplink)), concat('customers ', toString(access))), if(up, 100000000000, 10000000000), if(up, 'external', 'internal'),
    if(up, concat('customer-', toString(client % 200)), ''), if(up, '', concat('customer-', toString(client % 200))),
    if(up, concat('tenant-', toString(client % 20)), ''), if(up, '', concat('tenant-', toString(client % 20))),
    if(up, 'Example Access', concat('Example Network ', toString(network))), if(up, concat('Example Network ', toString(network)), 'Example Access'),
    concat('tenant-', toString(client % 20)),
    if(translated, 4 + intDiv(number, 4) % 2, 0), if(translated, v4(3405803776 + client % 256), toIPv6('::')), if(translated, 1024 + client % 64000, 0)
FROM numbers({from}, {to} - {from})
SETTINGS min_insert_block_size_rows = 1000000, max_insert_threads = 1, insert_deduplicate = 0;
