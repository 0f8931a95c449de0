-- The directory's foreign keys may be deferred, so a user or an organisation unit may be deleted and inserted anew, with
-- other ancestors or another unit, in one transaction: bindings stay, and with them the devices, whose owner is another.
-- An update tells of that change, and now so does an insert of what others refer to already.
-- Locks: app_user and org_unit, as create trigger takes them.

create function vitals.app_user_inserted() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    -- A user who is new indeed has no bindings, or gets them in a statement that tells of them itself.
    perform vitals.directory_changed(array(
        select b.device_sn from after_change join device_binding b using (user_id) limit 101
    ));
    return null;
end
$$;
comment on function vitals.app_user_inserted() is 'Statement trigger: announces the devices of users who were deleted and come back.';

create function vitals.org_unit_inserted() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if exists (select from after_change join app_user using (org_id)) then
        perform vitals.directory_changed(null);
    end if;
    return null;
end
$$;
comment on function vitals.org_unit_inserted() is 'Statement trigger: announces that organisation units with users were deleted and come back, and any device with them.';

create trigger app_user_inserted
    after insert on app_user referencing new table as after_change
    for each statement execute function vitals.app_user_inserted();
create trigger org_unit_inserted
    after insert on org_unit referencing new table as after_change
    for each statement execute function vitals.org_unit_inserted();
