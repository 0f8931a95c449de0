-- rejected_upload.add
-- Purpose: keep items that cannot be stored, with reason and original text. One that was refused before for the same reason is the
-- same row: it was received once more. So whoever sends the same for ever fills nothing.
-- Parameters, arrays of one length: $1 received_at, $2 source, $3 device_sn (NULL: unreadable), $4 reason, $5 detail,
-- $6 body, $7 inherited (JSON as text, NULL: nothing), $8 tenant of the key (NULL: of every one, or none).
-- Kept in the order given. What is wrong tells two faults of one item apart, but for the age of what is too old.
-- Locks: the rows. Two writers of the same items may wait crosswise: one is told so, and does it again.
insert into rejected_upload as kept
    (received_at, source, device_sn, reason, detail, body, inherited, key_customer_id, digest, times, last_received_at)
select
    min(received_at), source, device_sn, reason, max(detail), body, inherited::jsonb, key_customer_id, digest, count(*),
    case when count(*) > 1 then max(received_at) end
from (
    select
        item.*,
        -- Parts with their lengths before them: no two different items are written alike.
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
