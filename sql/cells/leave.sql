-- Deletes here what sql/cells/send.sql has sent to another cell, so that a database of all cells (sql/federation/) shows it once.
--
--   psql "$OLD" -X -v tenant=1939964806110937090 -v sent="$sent" -f sql/cells/leave.sql
--
--   tenant, first, last   as for send.sql
--   sent     what the last run of send.sql printed last. Rows that were written here since then are not deleted, nor is anything of a device
--            that this run did not send, or of which an event was filled since then (a warning says so): send them, and run this once more
--
-- Deleted are samples, events, device information, nested documents, rollups and alerts of the devices. The directory, rules and keys
-- stay: by them this cell knows where an upload that still comes here belongs. Alerts with a message that is still to be sent stay, too.
-- Refused while a device lives here by vitals.placement.
-- Rights: the owner of the tables. One transaction for each device; may be interrupted and run again.
-- Locks: the rows of a device; refreshes of the rollups wait for each device.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?first} \else \set first '' \endif
\if :{?last} \else \set last '' \endif
set timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
create temp table leaving as
select device_sn from vitals.devices_of(:tenant, nullif(:'first', ''), nullif(:'last', '')) as d (device_sn);
create temp table leaving_sent as
select
    :tenant::bigint as customer_id, split_part(:'sent', '/', 1)::bigint as batch_id, split_part(:'sent', '/', 2) = 'all' as with_open,
    split_part(:'sent', '/', 3)::bigint as run;
delete from leaving as l
where not exists (select from vitals.sent_device as s cross join leaving_sent as r where s.device_sn = l.device_sn and s.run = r.run);

do $$
begin
    if exists (select from leaving as l cross join leaving_sent as s where not vitals.lives_elsewhere(s.customer_id, l.device_sn)) then
        raise exception 'devices of tenant % live here by vitals.placement: nothing is deleted', (select customer_id from leaving_sent);
    end if;
end
$$;

do $$
declare
    sent     record;
    serial   text;
    hash     text;
    changed  integer := 0;
    relation text;
begin
    select * into sent from leaving_sent;
    for serial in select device_sn from leaving order by 1 loop
        -- An event that is filled keeps its batch_id, so it is the rows that were deleted that are compared with what was sent.
        begin
            with gone as (delete from device_event as e where e.device_sn = serial and e.batch_id < sent.batch_id returning e)
            select vitals.hash_of_events(array_agg(gone.e)) into hash from gone;
            if hash is distinct from (select s.events_hash from vitals.sent_device as s where s.device_sn = serial and s.run = sent.run) then
                raise exception using errcode = 'VL001';
            end if;
        exception when sqlstate 'VL001' then
            changed := changed + 1;
            continue;
        end;
        foreach relation in array '{health_data,device_info,sleep_segment,exercise_day,workout,health_document}'::text[] loop
            execute format('delete from public.%I where device_sn = $1 and batch_id < $2', relation) using serial, sent.batch_id;
        end loop;
        perform vitals.recompute_devices(array[serial], array['2000-01-01Z'::timestamptz], array[now() + interval '2 days']);
        -- Alerts that were last changed by a transaction before those were sent.
        delete from alert as a
        where a.device_sn = serial and (sent.with_open or a.status = 'resolved') and age(a.xmin) > txid_current() - sent.batch_id
          and not exists (select from notification as n where n.alert_id = a.alert_id and n.status = 'pending');
        delete from device as d
        where d.device_sn = serial and not exists (select from health_data as h where h.device_sn = serial)
          and not exists (select from device_info as i where i.device_sn = serial);
        delete from vitals.sent_device as s where s.device_sn = serial and s.run < sent.run;
        commit;
    end loop;
    if changed > 0 then
        raise warning 'events of % devices were changed since they were sent: nothing of these devices is deleted; send them, and run this once more', changed;
    end if;
end
$$;
