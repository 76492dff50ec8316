-- The built-in rollups. flows_5m gets more keys: rows from before have them empty, and are
-- summed with GROUP BY as ever. Only new columns may follow in the sorting key of a table.
ALTER TABLE flows_5m
    ADD COLUMN IF NOT EXISTS sampler_address IPv6,
    ADD COLUMN IF NOT EXISTS in_if UInt32,
    ADD COLUMN IF NOT EXISTS out_if UInt32,
    ADD COLUMN IF NOT EXISTS src_country LowCardinality(String),
    ADD COLUMN IF NOT EXISTS dst_country LowCardinality(String),
    ADD COLUMN IF NOT EXISTS src_net_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS dst_net_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS forwarding_status UInt8,
    MODIFY ORDER BY (window_start, src_origin_as, dst_origin_as, etype, proto, insert_id,
        sampler_address, in_if, out_if, src_country, dst_country, src_net_name, dst_net_name, forwarding_status);

-- The same keys in windows of a minute and of an hour.
CREATE TABLE IF NOT EXISTS flows_1m
(
    window_start      DateTime CODEC(Delta(4), ZSTD(1)),
    sampler_address   IPv6,
    in_if             UInt32,
    out_if            UInt32,
    src_origin_as     UInt32,
    dst_origin_as     UInt32,
    src_country       LowCardinality(String),
    dst_country       LowCardinality(String),
    src_net_name      LowCardinality(String),
    dst_net_name      LowCardinality(String),
    etype             UInt16,
    proto             UInt8,
    forwarding_status UInt8,
    bytes             SimpleAggregateFunction(sum, UInt64),
    packets           SimpleAggregateFunction(sum, UInt64),
    flows             SimpleAggregateFunction(sum, UInt64),
    bytes_scaled      SimpleAggregateFunction(sum, UInt64),
    packets_scaled    SimpleAggregateFunction(sum, UInt64),
    insert_id         UInt64
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(window_start, 'UTC')
PRIMARY KEY (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name, etype, proto, forwarding_status)
ORDER BY (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name, etype, proto, forwarding_status, insert_id)
TTL window_start + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS flows_1h
(
    window_start      DateTime CODEC(Delta(4), ZSTD(1)),
    sampler_address   IPv6,
    in_if             UInt32,
    out_if            UInt32,
    src_origin_as     UInt32,
    dst_origin_as     UInt32,
    src_country       LowCardinality(String),
    dst_country       LowCardinality(String),
    src_net_name      LowCardinality(String),
    dst_net_name      LowCardinality(String),
    etype             UInt16,
    proto             UInt8,
    forwarding_status UInt8,
    bytes             SimpleAggregateFunction(sum, UInt64),
    packets           SimpleAggregateFunction(sum, UInt64),
    flows             SimpleAggregateFunction(sum, UInt64),
    bytes_scaled      SimpleAggregateFunction(sum, UInt64),
    packets_scaled    SimpleAggregateFunction(sum, UInt64),
    insert_id         UInt64
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(window_start, 'UTC')
PRIMARY KEY (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name, etype, proto, forwarding_status)
ORDER BY (window_start, sampler_address, in_if, out_if, src_origin_as, dst_origin_as, src_country, dst_country, src_net_name, dst_net_name, etype, proto, forwarding_status, insert_id)
TTL window_start + INTERVAL 3 YEAR
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- Hosts that send most: a thousand of each flush, the others in one row with other = 1.
CREATE TABLE IF NOT EXISTS hosts_5m
(
    window_start   DateTime CODEC(Delta(4), ZSTD(1)),
    src_addr       IPv6,
    other          UInt8,
    bytes          SimpleAggregateFunction(sum, UInt64),
    packets        SimpleAggregateFunction(sum, UInt64),
    flows          SimpleAggregateFunction(sum, UInt64),
    bytes_scaled   SimpleAggregateFunction(sum, UInt64),
    packets_scaled SimpleAggregateFunction(sum, UInt64),
    insert_id      UInt64
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(window_start, 'UTC')
PRIMARY KEY (window_start, src_addr, other)
ORDER BY (window_start, src_addr, other, insert_id)
TTL window_start + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- Ports and protocols; the port is the lower one of both.
CREATE TABLE IF NOT EXISTS services_5m
(
    window_start   DateTime CODEC(Delta(4), ZSTD(1)),
    proto          UInt8,
    service_port   UInt16,
    other          UInt8,
    bytes          SimpleAggregateFunction(sum, UInt64),
    packets        SimpleAggregateFunction(sum, UInt64),
    flows          SimpleAggregateFunction(sum, UInt64),
    bytes_scaled   SimpleAggregateFunction(sum, UInt64),
    packets_scaled SimpleAggregateFunction(sum, UInt64),
    insert_id      UInt64
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(window_start, 'UTC')
PRIMARY KEY (window_start, proto, service_port, other)
ORDER BY (window_start, proto, service_port, other, insert_id)
TTL window_start + INTERVAL 1 YEAR
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- Interfaces: direction 0 is input, 1 is output. Speed in bit/s.
CREATE TABLE IF NOT EXISTS interfaces_1m
(
    window_start    DateTime CODEC(Delta(4), ZSTD(1)),
    sampler_address IPv6,
    interface       UInt32,
    direction       UInt8,
    bytes           SimpleAggregateFunction(sum, UInt64),
    packets         SimpleAggregateFunction(sum, UInt64),
    flows           SimpleAggregateFunction(sum, UInt64),
    bytes_scaled    SimpleAggregateFunction(sum, UInt64),
    packets_scaled  SimpleAggregateFunction(sum, UInt64),
    interface_speed SimpleAggregateFunction(max, UInt64),
    insert_id       UInt64
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(window_start, 'UTC')
PRIMARY KEY (window_start, sampler_address, interface, direction)
ORDER BY (window_start, sampler_address, interface, direction, insert_id)
TTL window_start + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;
