-- Every flow, one row, all columns of flow/fields.go by the same names and types.
--
-- A partition is a UTC day of receipt: receive time is ours, so that no exporter's
-- clock can make partitions, and the TTL drops whole parts. Most questions are a time
-- range and an exporter, then an interface: the key's first column is coarse so that
-- the exporters of five minutes lie together.
--
-- Insert repeats a block with its deduplication token after every doubt. The window is
-- counted in parts: a block is one part for each day that it touches.
--
-- Most flows leave half of the columns at 0. Sparse columns would not make them smaller,
-- and cost a tenth of an insert's CPU to find.
CREATE TABLE IF NOT EXISTS flows
(
    type                          UInt8,
    time_received_ns              DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    time_flow_start_ns            DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    time_flow_end_ns              DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    sequence_num                  UInt32,
    sampling_rate                 UInt64,
    bytes                         UInt64,
    packets                       UInt64,
    etype                         UInt16,
    proto                         UInt8,
    src_port                      UInt16,
    dst_port                      UInt16,
    in_if                         UInt32,
    out_if                        UInt32,
    ip_tos                        UInt8,
    tcp_flags                     UInt16,
    src_as                        UInt32,
    dst_as                        UInt32,
    src_net                       UInt8,
    dst_net                       UInt8,
    next_hop_as                   UInt32,
    forwarding_status             UInt8,
    ip_ttl                        UInt8,
    src_mac                       UInt64,
    dst_mac                       UInt64,
    vlan_id                       UInt16,
    icmp_type                     UInt8,
    icmp_code                     UInt8,
    src_vlan                      UInt32,
    dst_vlan                      UInt32,
    fragment_id                   UInt32,
    fragment_offset               UInt16,
    ipv6_flow_label               UInt32,
    ip_flags                      UInt8,
    observation_domain_id         UInt32,
    observation_point_id          UInt64,
    ipv6_routing_header_seg_left  UInt8,
    flow_direction                UInt8,
    ingress_vrf_id                UInt32,
    egress_vrf_id                 UInt32,
    src_origin_as                 UInt32,
    dst_origin_as                 UInt32,
    src_country                   LowCardinality(String),
    dst_country                   LowCardinality(String),
    quality                       UInt32,
    src_addr                      IPv6,
    dst_addr                      IPv6,
    sampler_address               IPv6,
    next_hop                      IPv6,
    bgp_next_hop                  IPv6,
    mpls_ttl                      Array(UInt8),
    mpls_label                    Array(UInt32),
    bgp_communities               Array(UInt32),
    as_path                       Array(UInt32),
    layer_stack                   Array(UInt8),
    layer_size                    Array(UInt32),
    mpls_ip                       Array(IPv6),
    ipv6_routing_header_addresses Array(IPv6),

    -- On one row of each insert: the row is there exactly if the insert is.
    insert_id                     UInt64,

    -- For people: computed when they are read, and not part of SELECT *.
    src_ip         String ALIAS replaceOne(toString(src_addr), '::ffff:', ''),
    dst_ip         String ALIAS replaceOne(toString(dst_addr), '::ffff:', ''),
    sampler_ip     String ALIAS replaceOne(toString(sampler_address), '::ffff:', ''),
    bytes_scaled   UInt64 ALIAS bytes * greatest(sampling_rate, 1),
    packets_scaled UInt64 ALIAS packets * greatest(sampling_rate, 1)
)
ENGINE = MergeTree
PARTITION BY toDate(time_received_ns, 'UTC')
ORDER BY (toStartOfFiveMinutes(time_received_ns), sampler_address, in_if)
TTL toDateTime(time_received_ns) + INTERVAL 30 DAY
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    ratio_of_defaults_for_sparse_serialization = 1.0;
