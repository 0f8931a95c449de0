-- A hash of events, by which sql/cells/leave.sql knows whether one was filled since it was sent: that leaves no trace in device_event.batch_id.
-- Parameter: the events of a device, in any order. NULL: there are none. Locks: none.
create or replace function vitals.hash_of_events(events device_event[]) returns text
language sql
stable
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
as $$
    select encode(sha256(convert_to(string_agg(e::text, E'\n' order by e.event_type collate "C", e.ts), 'UTF8')), 'hex')
    from unnest(hash_of_events.events) as e
$$;
comment on function vitals.hash_of_events(device_event[]) is 'Hash of the events of a device, to see whether one was changed since it was sent to another cell.';
