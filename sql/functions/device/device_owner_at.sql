-- Who owned devices at an instant: one row per pair of serial and instant, in no particular order.
-- Parameters: device_sns and instants, of the same length. An unbound device has no user, no organisation unit, and tenant 0.
-- Users and units have no history: the result has the unit of the user and the tenant of the unit as they are today.
-- Locks: none.
create or replace function device_owner_at(device_sns text[], instants timestamptz[])
returns table (device_sn text, ts timestamptz, user_id bigint, org_id bigint, customer_id bigint)
language sql
stable
parallel safe
set search_path = pg_catalog, public, pg_temp
as $$
    select given.device_sn, given.ts, u.user_id, u.org_id, coalesce(o.customer_id, 0)
    from unnest(device_sns, instants) as given (device_sn, ts)
    -- The last binding that had begun. Before the first binding, the first one: a watch is often worn before it is registered.
    left join lateral (
        select b.user_id, b.valid_until
        from device_binding b
        where b.device_sn = given.device_sn collate "C"
          and (
              b.valid_from <= given.ts
              or b.valid_from = (select min(f.valid_from) from device_binding f where f.device_sn = given.device_sn collate "C")
          )
        order by b.valid_from desc
        limit 1
    ) b on true
    left join app_user u on u.user_id = b.user_id and (b.valid_until is null or given.ts < b.valid_until)
    left join org_unit o on o.org_id = u.org_id
$$;
comment on function device_owner_at(text[], timestamptz[]) is 'Who owned devices at an instant: user, organisation unit, tenant (0: nobody).';
