-- Values that the mapping file of decode takes from elements and headers.
ALTER TABLE flows
    ADD COLUMN IF NOT EXISTS custom_1 UInt64,
    ADD COLUMN IF NOT EXISTS custom_2 UInt64,
    ADD COLUMN IF NOT EXISTS custom_3 UInt64,
    ADD COLUMN IF NOT EXISTS custom_4 UInt64;
