-- owners.tenures
-- Purpose: who owns devices now, and from when to when, for a cache that is given about any time. It is one statement, so version and
-- owners come from one snapshot.
-- Parameters: $1 serials, each once.
-- Result: one row per serial; since_us and until_us in microseconds since 1970 (NULL: no bound). The ids are NULL if nobody owns it.
-- Locks: none.
select
    -- Scalar subqueries instead of a join: the planner would expect as many directory rows as fit on a page.
    (select d.directory_id::text from vitals.directory d) as directory_id,
    (select d.version from vitals.directory d) as version,
    given.device_sn,
    u.user_id,
    u.org_id,
    o.customer_id,
    case when isfinite(t.since) then (extract(epoch from t.since) * 1000000)::bigint end as since_us,
    case when isfinite(t.until) then (extract(epoch from t.until) * 1000000)::bigint end as until_us
from unnest($1::text[]) as given (device_sn)
cross join lateral (
    select min(b.valid_from) as first_from, min(b.valid_from) filter (where b.valid_from > now()) as next_from
    from device_binding b
    where b.device_sn = given.device_sn collate "C"
) h
-- The last binding that has begun. Before the first binding, the first one, as in device_owner_at.
left join lateral (
    select b.user_id, b.valid_from, least(b.valid_until, n.valid_from) as ends
    from device_binding b
    left join lateral (
        select min(l.valid_from) as valid_from
        from device_binding l
        where l.device_sn = b.device_sn and l.valid_from > b.valid_from
    ) n on true
    where b.device_sn = given.device_sn collate "C" and (b.valid_from <= now() or b.valid_from = h.first_from)
    order by b.valid_from desc
    limit 1
) b on true
left join lateral (
    select b.ends > now() or b.ends is null as is_in_force
) f on true
left join lateral (
    select
        case
            when f.is_in_force and b.valid_from = h.first_from then null
            when f.is_in_force then b.valid_from
            else b.ends
        end as since,
        case when f.is_in_force then b.ends else h.next_from end as until
) t on true
left join app_user u on u.user_id = b.user_id and f.is_in_force
left join org_unit o on o.org_id = u.org_id
