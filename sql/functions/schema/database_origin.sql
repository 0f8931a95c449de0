-- Which history of which database this is: another text after a promotion, a recovery to a point in time, a restore into another
-- database or server. What is not allowed or not known on a managed server is left out of it.
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
        -- The timeline that is written now; that of the last checkpoint is late after a promotion.
        origin := origin || ' ' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    exception when insufficient_privilege or feature_not_supported or undefined_function
        or object_not_in_prerequisite_state then null;
    end;
    return origin;
end
$$;
comment on function vitals.database_origin() is 'Which history of which database this is: what compares numbers that go back when a database does carries it.';
