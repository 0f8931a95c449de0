-- instance.beat
-- Purpose: records that an instance runs, and returns the oldest program that works with the schema, as its newest migration. Rows of
-- instances that were killed more than a day ago are deleted.
-- Parameters: $1 random id of the instance, $2 its name, $3 the version of its program, $4 the oldest schema that the program runs with,
-- $5 the newest migration that it has.
-- Locks: the row. It waits for a migrate that contracts the schema.
with stale as (
    delete from vitals.instance where last_seen_at < now() - interval '1 day'
)
insert into vitals.instance (instance_id, name, program_version, oldest_schema, head)
values ($1::uuid, $2::text, $3::text, $4::integer, $5::integer)
on conflict (instance_id) do update set last_seen_at = now()
returning (select s.oldest_program from vitals.schema_state as s) as oldest_program
