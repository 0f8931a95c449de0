-- Whether the devices of a tenant live in another cell (vitals.placement), so that their silence here means nothing.
-- Parameters: the tenant (NULL: nobody owns the device), and the serial. Locks: none.
create or replace function vitals.lives_elsewhere(customer_id bigint, device_sn text) returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce((
        select p.cell <> (select c.name from vitals.cell as c)
        from vitals.placement as p
        where p.customer_id = coalesce(lives_elsewhere.customer_id, 0)
          and (p.first_device_sn is null or lives_elsewhere.device_sn collate "C" between p.first_device_sn and p.last_device_sn)
        order by p.first_device_sn is null, p.first_device_sn = p.last_device_sn desc, p.first_device_sn desc, p.last_device_sn
        limit 1
    ), false)
$$;
comment on function vitals.lives_elsewhere(bigint, text) is 'Whether the devices of a tenant, or one of them, live in another cell.';
