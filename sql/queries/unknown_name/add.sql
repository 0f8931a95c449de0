-- unknown_name.add
-- Purpose: count names that have no meaning here, and keep the table bounded: what came least often, and longest ago, goes.
-- Parameters, arrays of one length, no name of a kind twice: $1 kind, $2 name, $3 count, $4 first device (NULL: none);
-- $5 when they came, $6 most names.
-- Locks: the rows of the names, in the order of the key; the rows that go are left to whoever holds them.
with counted as (
    insert into unknown_name as known (kind, name, count, first_seen_at, last_seen_at, device_sn)
    select kind, name, count, $5, $5, device_sn
    from unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) as sent (kind, name, count, device_sn)
    order by kind collate "C", name collate "C"
    on conflict (kind, name) do update set
        count        = known.count + excluded.count,
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
        device_sn    = coalesce(known.device_sn, excluded.device_sn)
    returning known.kind, known.name
), surplus as (
    -- As it was before this statement: the table holds at most as many more as one statement adds.
    select u.kind, u.name
    from unknown_name as u
    where (u.kind, u.name) not in (select c.kind, c.name from counted as c)
      and (select count(*) from unknown_name) > $6
    order by u.count, u.last_seen_at
    limit (select greatest(count(*) - $6, 0) from unknown_name)
    for update skip locked
)
delete from unknown_name as u
using surplus as s
where u.kind = s.kind and u.name = s.name
