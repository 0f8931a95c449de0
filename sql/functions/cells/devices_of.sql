-- The devices of a tenant that move to another cell with it: those that the directory binds to its people now, and those that were never
-- bound and whose newest row has this tenant, because they send with a key of it.
-- Parameters: the tenant, and the first and the last serial in the order of bytes (NULL: no bound). Locks: none.
create or replace function vitals.devices_of(customer_id bigint, first_device_sn text, last_device_sn text) returns setof text
language sql
stable
set search_path = pg_catalog, public, pg_temp
as $$
    with own as (
        select o.device_sn
        from device_owner(array(select distinct b.device_sn from device_binding as b)) as o
        where o.customer_id = devices_of.customer_id
        union
        select d.device_sn
        from device as d
        cross join lateral (select h.customer_id from health_data as h where h.device_sn = d.device_sn order by h.ts desc limit 1) as newest
        where newest.customer_id = devices_of.customer_id
          and not exists (select from device_binding as b where b.device_sn = d.device_sn)
    )
    select o.device_sn
    from own as o
    where (devices_of.first_device_sn is null or o.device_sn collate "C" >= devices_of.first_device_sn)
      and (devices_of.last_device_sn is null or o.device_sn collate "C" <= devices_of.last_device_sn)
$$;
comment on function vitals.devices_of(bigint, text, text) is 'The devices that move to another cell with their tenant.';
