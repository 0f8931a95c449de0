-- Identifies the database and its history: the text is another one after a promotion, a recovery to a point in time, or a restore into
-- another database or server. Parts that a managed server does not allow or does not know are left out.
-- Parameters: none. Locks: none.
create or replace function vitals.database_origin() returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    origin text := (select d.oid from pg_database d where d.datname = current_database());
begin
    begin
        origin := origin || ' ' || (select c.system_identifier from pg_control_system() c);
    exception when insufficient_privilege or feature_not_supported or undefined_function then null;
    end;
    begin
        -- The timeline of the current WAL file. The timeline of the last checkpoint is outdated for a while after a promotion.
        origin := origin || ' ' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    exception when insufficient_privilege or feature_not_supported or undefined_function
        or object_not_in_prerequisite_state then null;
    end;
    return origin;
end
$$;
comment on function vitals.database_origin() is 'Identifies the database and its history. Numbers that go back when a database is restored are compared together with it.';
