-- What makes tables easy to ask: addresses as people write them, names for numbers, bits and packets
-- a second at any resolution. docs/queries.md shows them at work.
--
-- All of it belongs to the database. Functions (CREATE FUNCTION) would belong to the server: two databases
-- could not have two versions of them, and who migrates would need a right on the whole server.

-- Names, read from the tables anew every five minutes at most. Numbers without a name stay numbers.
CREATE DICTIONARY IF NOT EXISTS protocols (number UInt64, name String)
PRIMARY KEY number SOURCE(CLICKHOUSE(TABLE 'protocol_names')) LAYOUT(HASHED()) LIFETIME(MIN 60 MAX 300);

CREATE DICTIONARY IF NOT EXISTS ethertypes (number UInt64, name String)
PRIMARY KEY number SOURCE(CLICKHOUSE(TABLE 'ethertype_names')) LAYOUT(HASHED()) LIFETIME(MIN 60 MAX 300);

CREATE DICTIONARY IF NOT EXISTS services (proto UInt8, port UInt16, name String)
PRIMARY KEY proto, port SOURCE(CLICKHOUSE(TABLE 'service_names')) LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(MIN 60 MAX 300);

-- Computed when they are read, and not part of SELECT *. IPv4 is IPv4: the addresses from ::ffff:0.0.0.0 on.
-- To select rows ask for the address itself, which can use the key: src_addr = '192.0.2.1'.
ALTER TABLE flows
    MODIFY COLUMN src_ip     String ALIAS if(src_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(src_addr), 8), toString(src_addr)),
    MODIFY COLUMN dst_ip     String ALIAS if(dst_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(dst_addr), 8), toString(dst_addr)),
    MODIFY COLUMN sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address)),
    ADD COLUMN IF NOT EXISTS next_hop_ip String ALIAS if(next_hop BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(next_hop), 8), toString(next_hop)),
    ADD COLUMN IF NOT EXISTS post_nat_src_ip String ALIAS if(post_nat_src_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(post_nat_src_addr), 8), toString(post_nat_src_addr)),
    ADD COLUMN IF NOT EXISTS post_nat_dst_ip String ALIAS if(post_nat_dst_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(post_nat_dst_addr), 8), toString(post_nat_dst_addr)),
    ADD COLUMN IF NOT EXISTS proto_name  String ALIAS dictGetOrDefault('protocols', 'name', toUInt64(proto), toString(proto)),
    ADD COLUMN IF NOT EXISTS etype_name  String ALIAS dictGetOrDefault('ethertypes', 'name', toUInt64(etype), toString(etype)),
    ADD COLUMN IF NOT EXISTS src_service String ALIAS dictGetOrDefault('services', 'name', (proto, src_port), toString(src_port)),
    ADD COLUMN IF NOT EXISTS dst_service String ALIAS dictGetOrDefault('services', 'name', (proto, dst_port), toString(dst_port)),
    ADD COLUMN IF NOT EXISTS tcp_flag_names Array(String)
        ALIAS arrayMap(i -> ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'][i + 1], bitPositionsToArray(bitAnd(tcp_flags, 511)));

ALTER TABLE flows_1m
    ADD COLUMN IF NOT EXISTS sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address)),
    ADD COLUMN IF NOT EXISTS proto_name String ALIAS dictGetOrDefault('protocols', 'name', toUInt64(proto), toString(proto)),
    ADD COLUMN IF NOT EXISTS etype_name String ALIAS dictGetOrDefault('ethertypes', 'name', toUInt64(etype), toString(etype));

ALTER TABLE flows_5m
    ADD COLUMN IF NOT EXISTS sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address)),
    ADD COLUMN IF NOT EXISTS proto_name String ALIAS dictGetOrDefault('protocols', 'name', toUInt64(proto), toString(proto)),
    ADD COLUMN IF NOT EXISTS etype_name String ALIAS dictGetOrDefault('ethertypes', 'name', toUInt64(etype), toString(etype));

ALTER TABLE flows_1h
    ADD COLUMN IF NOT EXISTS sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address)),
    ADD COLUMN IF NOT EXISTS proto_name String ALIAS dictGetOrDefault('protocols', 'name', toUInt64(proto), toString(proto)),
    ADD COLUMN IF NOT EXISTS etype_name String ALIAS dictGetOrDefault('ethertypes', 'name', toUInt64(etype), toString(etype));

ALTER TABLE interfaces_1m
    ADD COLUMN IF NOT EXISTS sampler_ip String ALIAS if(sampler_address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(sampler_address), 8), toString(sampler_address));

ALTER TABLE hosts_5m
    ADD COLUMN IF NOT EXISTS src_ip String ALIAS if(src_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(src_addr), 8), toString(src_addr));

ALTER TABLE services_5m
    ADD COLUMN IF NOT EXISTS proto_name String ALIAS dictGetOrDefault('protocols', 'name', toUInt64(proto), toString(proto)),
    ADD COLUMN IF NOT EXISTS service String ALIAS dictGetOrDefault('services', 'name', (proto, service_port), toString(service_port));

-- Traffic from one time to another in steps of so many seconds, from the coarsest table that answers:
--
--     SELECT time, src_origin_as, sum(bps) FROM traffic(from = now() - INTERVAL 1 DAY, to = now(), step = 300) GROUP BY ALL
--
-- Steps are rounded up to whole minutes. flows_1h serves those of an hour and more, flows_5m of five minutes and more, flows_1m
-- the others; a table that does not reach back as far as is asked gives way to one that does. Then the step is rounded up
-- to a multiple of the table's window: the column seconds has it. time is the start of a step, and from is rounded down to
-- one. bps and pps are scaled by sampling and add up over everything but time. Tables that are not chosen are not read.
CREATE VIEW IF NOT EXISTS traffic AS
WITH
    (SELECT minOrNull(window_start) FROM flows_1m) AS first_1m,
    (SELECT minOrNull(window_start) FROM flows_5m) AS first_5m,
    (SELECT minOrNull(window_start) FROM flows_1h) AS first_1h,
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

-- Translations and decisions of firewalls, with names (IANA, IPFIX Information Elements: natEvent, firewallEvent).
CREATE VIEW IF NOT EXISTS nat_events AS
SELECT
    time_received_ns, time_flow_start_ns, time_flow_end_ns, sampler_address, sampler_ip, exporter_name, type, proto, proto_name,
    nat_event,
    transform(nat_event, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
        ['NAT translation create', 'NAT translation delete', 'NAT addresses exhausted', 'NAT44 session create', 'NAT44 session delete',
        'NAT64 session create', 'NAT64 session delete', 'NAT44 BIB create', 'NAT44 BIB delete', 'NAT64 BIB create', 'NAT64 BIB delete',
        'NAT ports exhausted', 'quota exceeded', 'address binding create', 'address binding delete', 'port block allocation',
        'port block de-allocation', 'threshold reached'], if(nat_event = 0, '', toString(nat_event))) AS nat_event_name,
    firewall_event,
    transform(firewall_event, [1, 2, 3, 4, 5], ['flow created', 'flow deleted', 'flow denied', 'flow alert', 'flow update'],
        if(firewall_event = 0, '', toString(firewall_event))) AS firewall_event_name,
    firewall_extended_event,
    src_addr, src_ip, src_port, post_nat_src_addr, post_nat_src_ip, post_nat_src_port,
    dst_addr, dst_ip, dst_port, post_nat_dst_addr, post_nat_dst_ip, post_nat_dst_port,
    port_range_start, port_range_end, ingress_vrf_id, egress_vrf_id, ingress_vrf_name, egress_vrf_name, in_if, out_if, bytes, packets
FROM flows
WHERE nat_event != 0 OR firewall_event != 0;
