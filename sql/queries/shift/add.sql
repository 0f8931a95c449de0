-- shift.add
-- Purpose: adds a shift or an absence.
-- Parameters: $1 its columns as JSON; missing: starts now, duty.
-- Locks: the contact and the unit, against deletion.
with added as (
    insert into shift (
        customer_id, org_id, contact_id, kind, starts_at, ends_at, weekly_days, from_time, until_time, time_zone, note
    )
    select
        s.customer_id, s.org_id, s.contact_id, coalesce(s.kind, 'duty'), coalesce(s.starts_at, now()), s.ends_at, s.weekly_days,
        s.from_time, s.until_time, s.time_zone, s.note
    from jsonb_populate_record(null::shift, $1) as s
    returning *
)
select to_jsonb(a) || jsonb_build_object('contact', c.name, 'on_duty', null) as shift
from added a
join contact c on c.contact_id = a.contact_id
