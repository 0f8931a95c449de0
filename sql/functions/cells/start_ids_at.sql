-- Gives this cell a range of ids of its own, so that rules, alerts, contacts and what belongs to them keep their ids when a tenant moves
-- to another cell. To be called once in every cell but the first, before it has tenants.
-- Parameter: the number of the cell: 1, 2, …; its ids start at so many millions of millions. Locks: the tables, for a moment. Needs
-- the owner of the tables. Refused where ids have got that far already.
create or replace function vitals.start_ids_at(cell_number integer) returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    first_id constant bigint := cell_number * 1000000000000::bigint;
    ids      record;
    highest  bigint;
begin
    if cell_number not between 1 and 8000 then
        raise exception 'the number of a cell is between 1 and 8000, not %', cell_number using errcode = 'invalid_parameter_value';
    end if;
    for ids in
        select a.attrelid::regclass as relation, a.attname as name
        from pg_attribute as a
        where a.attidentity <> '' and a.attrelid = any ('{
            alert, alert_action, alert_rule, alert_silence, contact, contact_address, device_key_revocation, notification,
            notification_route, shift
        }'::regclass[])
    loop
        execute format('select max(%I) from %s', ids.name, ids.relation) into highest;
        if highest >= first_id then
            raise exception '% has ids up to % already', ids.relation, highest using errcode = 'object_not_in_prerequisite_state';
        end if;
        execute format('alter table %s alter column %I restart with %s', ids.relation, ids.name, first_id);
    end loop;
end
$$;
comment on function vitals.start_ids_at(integer) is 'Gives this cell a range of ids of its own; to be called before it has tenants.';
