-- The tables of Cloudflare's flow-pipeline, as views, so that queries and dashboards that were
-- made for it go on: with database goflow selected they need no change. The views belong to
-- the first database of a server that is migrated. As there, sums are not scaled by sampling, IPv4
-- addresses are their four octets in reverse and twelve zeros, and AS numbers are one column:
-- here in flows_5m the origin AS, which enrich makes of the exported one and its databases.
CREATE DATABASE IF NOT EXISTS goflow;

CREATE VIEW IF NOT EXISTS goflow.flows_raw AS
SELECT
    toDate(time_received_ns)     AS Date,
    toDateTime(time_received_ns) AS TimeReceived,
    toDateTime(time_flow_start_ns) AS TimeFlowStart,
    sequence_num                 AS SequenceNum,
    sampling_rate                AS SamplingRate,
    if(startsWith(toString(sampler_address), '::ffff:'),
        toFixedString(reverse(substring(reinterpretAsFixedString(sampler_address), 13)), 16),
        reinterpretAsFixedString(sampler_address)) AS SamplerAddress,
    if(startsWith(toString(src_addr), '::ffff:'),
        toFixedString(reverse(substring(reinterpretAsFixedString(src_addr), 13)), 16),
        reinterpretAsFixedString(src_addr)) AS SrcAddr,
    if(startsWith(toString(dst_addr), '::ffff:'),
        toFixedString(reverse(substring(reinterpretAsFixedString(dst_addr), 13)), 16),
        reinterpretAsFixedString(dst_addr)) AS DstAddr,
    src_as                       AS SrcAS,
    dst_as                       AS DstAS,
    toUInt32(etype)              AS EType,
    toUInt32(proto)              AS Proto,
    toUInt32(src_port)           AS SrcPort,
    toUInt32(dst_port)           AS DstPort,
    bytes                        AS Bytes,
    packets                      AS Packets
FROM flows;

CREATE VIEW IF NOT EXISTS goflow.flows_5m AS
SELECT
    toDate(window_start) AS Date,
    window_start         AS Timeslot,
    src_origin_as        AS SrcAS,
    dst_origin_as        AS DstAS,
    [toUInt32(etype)]    AS `ETypeMap.EType`,
    [sum(bytes)]         AS `ETypeMap.Bytes`,
    [sum(packets)]       AS `ETypeMap.Packets`,
    [sum(flows)]         AS `ETypeMap.Count`,
    sum(bytes)           AS Bytes,
    sum(packets)         AS Packets,
    sum(flows)           AS Count
FROM flows_5m
GROUP BY window_start, src_origin_as, dst_origin_as, etype;
