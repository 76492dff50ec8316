-- What exporters count themselves: records of options data about their processes, a row each. Values are
-- totals since the process began. Readers take differences.
CREATE TABLE IF NOT EXISTS exporter_statistics
(
    time_received_ns      DateTime64(9) CODEC(DoubleDelta, ZSTD(1)),
    sampler_address       IPv6,
    protocol              UInt8,
    observation_domain_id UInt32,
    line_card_id          UInt32,
    metering_process_id   UInt32,
    exporting_process_id  UInt32,
    template_id           UInt32,
    selector_id           UInt64,
    flow_active_timeout   UInt32,
    flow_idle_timeout     UInt32,
    exported_octets       UInt64 CODEC(Delta(8), ZSTD(1)),
    exported_messages     UInt64 CODEC(Delta(8), ZSTD(1)),
    exported_flow_records UInt64 CODEC(Delta(8), ZSTD(1)),
    observed_flows        UInt64 CODEC(Delta(8), ZSTD(1)),
    ignored_packets       UInt64 CODEC(Delta(8), ZSTD(1)),
    ignored_octets        UInt64 CODEC(Delta(8), ZSTD(1)),
    not_sent_flows        UInt64 CODEC(Delta(8), ZSTD(1)),
    not_sent_packets      UInt64 CODEC(Delta(8), ZSTD(1)),
    not_sent_octets       UInt64 CODEC(Delta(8), ZSTD(1)),
    packets_observed      UInt64 CODEC(Delta(8), ZSTD(1)),
    packets_selected      UInt64 CODEC(Delta(8), ZSTD(1)),
    insert_id             UInt64,

    sampler_ip String ALIAS replaceOne(toString(sampler_address), '::ffff:', '')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time_received_ns, 'UTC')
ORDER BY (sampler_address, observation_domain_id, time_received_ns)
TTL toDateTime(time_received_ns) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;
