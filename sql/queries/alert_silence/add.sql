-- alert_silence.add
-- Purpose: adds a silence.
-- Parameters, NULL for "any": $1 tenant, $2 organisation unit, $3 serial, $4 rule; $5 start (NULL: now), $6 end (NULL: $7 seconds
-- after the start), $8 name of the person, $9 note (NULL: none), $10 key_id of the request (NULL: none).
-- Locks: the rule, against deletion.
insert into alert_silence (customer_id, org_id, device_sn, rule_id, starts_at, ends_at, actor, note, key_id)
select
    $1, $2, $3, $4, coalesce($5, now()), coalesce($6, coalesce($5, now()) + make_interval(secs => $7::integer)), $8, $9, $10
returning to_jsonb(alert_silence) as silence
