-- rejected_upload.count_kept
-- Purpose: how many of these rejects are kept.
-- Parameters: as of rejected_upload.add. The digest is the same.
-- Locks: none.
select count(*) as kept
from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
    as item (received_at, source, device_sn, reason, detail, body, inherited, key_customer_id)
where exists (
    select from rejected_upload as kept
    where kept.digest = sha256(convert_to(
        concat_ws(
            '|', item.source, length(item.device_sn), item.device_sn, item.reason,
            case when item.reason <> 'too_old' then length(item.detail) || item.detail end,
            length(item.inherited), item.inherited, item.key_customer_id, item.body
        ),
        'UTF8'
    ))
)
