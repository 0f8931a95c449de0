-- rejected_upload.add
-- Purpose: stores rejects, with reason and original text. A reject that was received before with the same reason updates the existing row,
-- so a client that sends the same item for ever does not fill the table.
-- Parameters, arrays of the same length: $1 received_at, $2 source, $3 device_sn (NULL: unreadable), $4 reason, $5 detail,
-- $6 body, $7 inherited (JSON as text, NULL: nothing), $8 tenant of the key (NULL: all tenants, or no key).
-- Rejects are stored in the given order. The detail distinguishes two faults of one item, except for the age of a time that is too old.
-- Locks: the rows. Two writers of the same items may deadlock; PostgreSQL fails one of them, and it tries again.
insert into rejected_upload as kept
    (received_at, source, device_sn, reason, detail, body, inherited, key_customer_id, digest, times, last_received_at)
select
    min(received_at), source, device_sn, reason, max(detail), body, inherited::jsonb, key_customer_id, digest, count(*),
    case when count(*) > 1 then max(received_at) end
from (
    select
        item.*,
        -- Each part is preceded by its length, so two different items never give the same text.
        sha256(convert_to(
            concat_ws(
                '|', source, length(device_sn), device_sn, reason, case when reason <> 'too_old' then length(detail) || detail end,
                length(inherited), inherited, key_customer_id, body
            ),
            'UTF8'
        )) as digest
    from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
        with ordinality as item (received_at, source, device_sn, reason, detail, body, inherited, key_customer_id, place)
) as item
group by digest, source, device_sn, reason, body, inherited, key_customer_id
order by min(place)
on conflict (digest) do update
set times            = kept.times + excluded.times,
    last_received_at = greatest(kept.last_received_at, kept.received_at, excluded.received_at, excluded.last_received_at),
    batch_id         = excluded.batch_id,
    detail           = excluded.detail
