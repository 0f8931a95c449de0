-- overview.foreign_rows
-- Purpose: the tables of a database of this program that have rows that no demo creates: of devices whose serial has another prefix, or
-- entered by people.
-- Parameters: $1 prefix of the serials of a demo, $2 the first text after all texts with that prefix, $3 who has made its keys and
-- accounts, $4 names of its tenants and units.
-- Locks: none.
select array_remove(array[
    case when exists (select from health_data where device_sn < $1::text)
        or exists (select from health_data where device_sn >= $2::text) then 'health_data' end,
    case when exists (select from device where device_sn < $1::text or device_sn >= $2::text) then 'device' end,
    case when exists (select from device_event where device_sn < $1::text or device_sn >= $2::text) then 'device_event' end,
    case when exists (select from customer where customer_id <> 0 and name <> all ($4::text[])) then 'customer' end,
    case when exists (select from org_unit where name is null or name <> all ($4::text[])) then 'org_unit' end,
    case when exists (
        select
        from app_user as u
        where not exists (
            select from device_binding as b where b.user_id = u.user_id and b.device_sn >= $1::text and b.device_sn < $2::text)
    ) then 'app_user' end,
    case when exists (select from contact) then 'contact' end,
    case when exists (select from api_key where created_by is distinct from $3::text) then 'api_key' end,
    case when exists (select from account where created_by <> $3::text) then 'account' end
], null) as tables
