-- Binds a device to a user from an instant on, and ends the previous binding at that instant. Without a user it unbinds the device.
-- Idempotent.
-- Parameters: the device; the user (NULL: nobody); the start. A binding that begins later is kept, and this one ends where it begins.
-- Locks: the row of vitals.directory, until the end of the transaction; bindings of the device.
create or replace function bind_device(device_sn text, user_id bigint, valid_from timestamptz default now())
returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    next_from timestamptz;
begin
    perform from vitals.directory for update;
    select min(b.valid_from) into next_from
    from device_binding b
    where b.device_sn = bind_device.device_sn and b.valid_from > bind_device.valid_from;

    if exists (
        select
        from device_binding b
        where b.device_sn = bind_device.device_sn
          and b.user_id = bind_device.user_id
          and b.valid_from = (
              select max(p.valid_from)
              from device_binding p
              where p.device_sn = bind_device.device_sn and p.valid_from <= bind_device.valid_from
          )
          and (b.valid_until is null or b.valid_until >= next_from)
    ) then
        return;
    end if;

    update device_binding b
    set valid_until = bind_device.valid_from
    where b.device_sn = bind_device.device_sn
      and b.valid_from < bind_device.valid_from
      and (b.valid_until is null or b.valid_until > bind_device.valid_from);
    if bind_device.user_id is null then
        delete from device_binding b
        where b.device_sn = bind_device.device_sn and b.valid_from = bind_device.valid_from;
    else
        insert into device_binding as b (device_sn, user_id, valid_from, valid_until)
        values (bind_device.device_sn, bind_device.user_id, bind_device.valid_from, next_from)
        on conflict on constraint device_binding_pkey do update
        set user_id = excluded.user_id, valid_until = excluded.valid_until;
    end if;
end
$$;
comment on function bind_device(text, bigint, timestamptz) is 'Binds a device to a user from an instant on (default: now); without a user it unbinds the device. Earlier bindings are kept.';
