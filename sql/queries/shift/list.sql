-- shift.list
-- Purpose: shifts as JSON, in the order of their numbers.
-- Parameters, NULL for "any": $1 tenant (absences: of its contacts), $2 organisation unit, $3 contact; $4 whether to include those that
-- are over; $5 only those on duty at this time; $6 most rows.
-- Locks: none.
select to_jsonb(s) || jsonb_build_object('contact', c.name, 'on_duty', d.shift_id is not null) as shift
from shift s
join contact c on c.contact_id = s.contact_id
left join org_unit o on o.org_id = s.org_id
left join vitals.contacts_on_duty(coalesce($5::timestamptz, now())) d on d.shift_id = s.shift_id
where (
        $1::bigint is null or coalesce(s.customer_id, o.customer_id) = $1
        or s.kind = 'absence' and vitals.is_contact_within(s.contact_id, $1, null)
    )
  and ($2::bigint is null or s.org_id = $2)
  and ($3::bigint is null or s.contact_id = $3)
  and ($4::boolean or s.ends_at is null or s.ends_at > now())
  and ($5::timestamptz is null or d.shift_id is not null)
order by s.shift_id
limit $6
