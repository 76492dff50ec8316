-- Codecs and indexes by measurement, on a day of NetFlow as queries/flows.sql makes it; docs/queries.md has the
-- figures. ZSTD(1) instead of LZ4 halves flows and costs an insert nothing that can be measured. Times are whole
-- milliseconds for most exporters: their divisor first, then as few bits as the block needs. It is the same for
-- bytes and packets, most of which are small. What is there already changes when it is merged.
ALTER TABLE flows
    MODIFY SETTING default_compression_codec = 'ZSTD(1)';

ALTER TABLE flows
    MODIFY COLUMN time_flow_start_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN time_flow_end_ns   CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN bytes              CODEC(T64, ZSTD(1)),
    MODIFY COLUMN packets            CODEC(T64, ZSTD(1));

-- A host's flows lie anywhere within their five minutes: a filter tells of 8192 rows whether an address is
-- there, which is a byte a row and all but a few per cent of the rows not read. The other two
-- indexes let the view nat_events pass over exporters without such events.
ALTER TABLE flows
    ADD INDEX IF NOT EXISTS src_addr_filter src_addr TYPE bloom_filter GRANULARITY 1,
    ADD INDEX IF NOT EXISTS dst_addr_filter dst_addr TYPE bloom_filter GRANULARITY 1,
    ADD INDEX IF NOT EXISTS nat_events      nat_event TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS firewall_events firewall_event TYPE minmax GRANULARITY 1;

ALTER TABLE flows_1m MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE flows_5m MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE flows_1h MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE hosts_5m MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE services_5m MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE interfaces_1m MODIFY SETTING default_compression_codec = 'ZSTD(1)';
