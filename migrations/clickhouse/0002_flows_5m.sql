-- Sums of 5-minute windows of event time. Rows are partial sums: there may be several
-- for a window and key at any time, so readers sum them with GROUP BY.
--
-- Windows are made from event times that aggregate has held against receive time, which
-- keeps the number of months small.
CREATE TABLE IF NOT EXISTS flows_5m
(
    window_start   DateTime CODEC(Delta(4), ZSTD(1)),
    src_origin_as  UInt32,
    dst_origin_as  UInt32,
    etype          UInt16,
    proto          UInt8,
    bytes          UInt64,
    packets        UInt64,
    flows          UInt64,
    bytes_scaled   UInt64,
    packets_scaled UInt64,

    -- On one row of each insert: the row is there exactly if the insert is, and in the
    -- key, so that it stays when rows are merged.
    insert_id      UInt64
)
ENGINE = SummingMergeTree((bytes, packets, flows, bytes_scaled, packets_scaled))
PARTITION BY toYYYYMM(window_start, 'UTC')
PRIMARY KEY (window_start, src_origin_as, dst_origin_as, etype, proto)
ORDER BY (window_start, src_origin_as, dst_origin_as, etype, proto, insert_id)
TTL window_start + INTERVAL 1 YEAR
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;
