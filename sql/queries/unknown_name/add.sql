-- unknown_name.add
-- Purpose: counts names that the service does not know, and limits the table: the names that were sent least often, and longest ago, are
-- deleted.
-- Parameters, arrays of the same length, no name of a kind twice: $1 kind, $2 name, $3 count, $4 first device (NULL: none);
-- $5 when they were received, $6 most names.
-- Locks: the rows of the names, in the order of the key; rows to be deleted that another session has locked are skipped.
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
    -- This counts the rows from before the statement, so the table may exceed the limit by the names of one statement.
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
