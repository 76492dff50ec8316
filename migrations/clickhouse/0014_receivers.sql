-- Hosts that receive most, as hosts_5m has those that send most.
CREATE TABLE IF NOT EXISTS receivers_5m
(
    window_start   DateTime CODEC(Delta(4), ZSTD(1)),
    dst_addr       IPv6,
    other          UInt8,
    bytes          SimpleAggregateFunction(sum, UInt64),
    packets        SimpleAggregateFunction(sum, UInt64),
    flows          SimpleAggregateFunction(sum, UInt64),
    bytes_scaled   SimpleAggregateFunction(sum, UInt64),
    packets_scaled SimpleAggregateFunction(sum, UInt64),
    insert_id      UInt64,
    dst_ip         String ALIAS if(dst_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(dst_addr), 8), toString(dst_addr))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(window_start, 'UTC')
PRIMARY KEY (window_start, dst_addr, other)
ORDER BY (window_start, dst_addr, other, insert_id)
TTL window_start + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)';

-- How many of these flows were taken by their receipt, since the clock of their exporter is wrong.
ALTER TABLE interfaces_1m
    ADD COLUMN IF NOT EXISTS skewed_flows SimpleAggregateFunction(sum, UInt64);
