-- What exporters tell beyond GoFlow2's fields: translation, firewalls, the other direction of a
-- biflow, physical interfaces, inner VLANs, segments, applications and discards.
ALTER TABLE flows
    ADD COLUMN IF NOT EXISTS flow_end_reason   UInt8,
    ADD COLUMN IF NOT EXISTS biflow_direction  UInt8,
    ADD COLUMN IF NOT EXISTS nat_event         UInt8,
    ADD COLUMN IF NOT EXISTS firewall_event    UInt8,
    ADD COLUMN IF NOT EXISTS post_nat_src_port UInt16,
    ADD COLUMN IF NOT EXISTS post_nat_dst_port UInt16,
    ADD COLUMN IF NOT EXISTS in_physical_if    UInt32,
    ADD COLUMN IF NOT EXISTS out_physical_if   UInt32,
    ADD COLUMN IF NOT EXISTS customer_vlan_id  UInt16,
    ADD COLUMN IF NOT EXISTS segment_id        UInt64,
    ADD COLUMN IF NOT EXISTS application_id    UInt64,
    ADD COLUMN IF NOT EXISTS responder_bytes   UInt64,
    ADD COLUMN IF NOT EXISTS responder_packets UInt64,
    ADD COLUMN IF NOT EXISTS drop_reason       UInt16,
    ADD COLUMN IF NOT EXISTS post_nat_src_addr IPv6,
    ADD COLUMN IF NOT EXISTS post_nat_dst_addr IPv6;
