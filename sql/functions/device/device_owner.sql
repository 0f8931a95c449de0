-- Who owns devices now: one row per given serial, in no particular order.
-- Parameter: device_sns, each once. An unbound device has no user, no organisation unit, and tenant 0.
-- Locks: none.
create or replace function device_owner(device_sns text[])
returns table (device_sn text, user_id bigint, org_id bigint, customer_id bigint)
language sql
stable
parallel safe
set search_path = pg_catalog, public, pg_temp
as $$
    select o.device_sn, o.user_id, o.org_id, o.customer_id
    from device_owner_at(device_sns, array_fill(now(), array[cardinality(device_sns)])) o
$$;
comment on function device_owner(text[]) is 'Who owns devices now: user, organisation unit, tenant (0: nobody).';
