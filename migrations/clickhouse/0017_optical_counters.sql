-- The lanes of optical transceivers, a row for each lane of an sFlow sample.
CREATE TABLE IF NOT EXISTS optical_counters
(
    time_received_ns DateTime64(9) CODEC(DoubleDelta, ZSTD(1)),
    sampler_address  IPv6,
    sub_agent_id     UInt32,
    sequence_num     UInt32 CODEC(Delta(4), ZSTD(1)),
    uptime_ms        UInt32 CODEC(DoubleDelta, ZSTD(1)),
    source_type      UInt32,
    source_index     UInt32,
    module_id        UInt32,
    module_lanes     UInt32,
    supply_voltage   UInt32,
    temperature      Int32,
    lane             UInt32,
    tx_bias_current  UInt32,
    tx_power         UInt32,
    tx_power_min     UInt32,
    tx_power_max     UInt32,
    tx_wavelength    UInt32,
    rx_power         UInt32,
    rx_power_min     UInt32,
    rx_power_max     UInt32,
    rx_wavelength    UInt32,
    insert_id        UInt64,

    sampler_ip String ALIAS replaceOne(toString(sampler_address), '::ffff:', '')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time_received_ns, 'UTC')
ORDER BY (sampler_address, module_id, lane, time_received_ns)
TTL toDateTime(time_received_ns) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

-- The customer's VLAN at the output.
ALTER TABLE flows ADD COLUMN IF NOT EXISTS post_customer_vlan_id UInt16;
