-- rejected_upload.add
-- Purpose: keep items that cannot be stored, with reason and original text.
-- Parameters, arrays of one length: $1 received_at, $2 source, $3 device_sn (NULL: unreadable), $4 reason, $5 detail,
-- $6 body, $7 inherited (JSON as text, NULL: nothing), $8 tenant of the key (NULL: of every one, or none).
-- Locks: none beyond the new rows.
insert into rejected_upload (received_at, source, device_sn, reason, detail, body, inherited, key_customer_id)
select received_at, source, device_sn, reason, detail, body, inherited::jsonb, key_customer_id
from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
    as item (received_at, source, device_sn, reason, detail, body, inherited, key_customer_id)
