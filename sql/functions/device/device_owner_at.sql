-- Whom devices belonged to at an instant: one row per pair of serial and instant, in no order.
-- Parameters: device_sns and instants, of one length. Result: unbound devices have no user, no organisation unit and
-- tenant 0. Users and units have no history: they are where they are today.
-- Locks: none.
create or replace function device_owner_at(device_sns text[], instants timestamptz[])
returns table (device_sn text, ts timestamptz, user_id bigint, org_id bigint, customer_id bigint)
language sql
stable
parallel safe
set search_path = pg_catalog, public, pg_temp
as $$
    select asked.device_sn, asked.ts, u.user_id, u.org_id, coalesce(o.customer_id, 0)
    from unnest(device_sns, instants) as asked (device_sn, ts)
    -- The last binding that had begun; before the first one, the first: a watch is often worn before it is registered.
    left join lateral (
        select b.user_id, b.valid_until
        from device_binding b
        where b.device_sn = asked.device_sn collate "C"
          and (
              b.valid_from <= asked.ts
              or b.valid_from = (select min(f.valid_from) from device_binding f where f.device_sn = asked.device_sn collate "C")
          )
        order by b.valid_from desc
        limit 1
    ) b on true
    left join app_user u on u.user_id = b.user_id and (b.valid_until is null or asked.ts < b.valid_until)
    left join org_unit o on o.org_id = u.org_id
$$;
comment on function device_owner_at(text[], timestamptz[]) is 'Whom devices belonged to at an instant: user, organisation unit, tenant (0: nobody).';
