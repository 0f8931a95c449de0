-- Sends a tenant, or some of its devices, to another cell: prints what psql runs there. Here only vitals.sent_device is written. May be run
-- as often as needed: rows that are there already stay as they are, but what was changed here since the last run is changed there, too: NULLs
-- are filled, totals of days and workouts grow, samples that were replaced here replace those that came by sending, and keys are revoked, get
-- their new secret, and devices are readmitted.
--
--   psql "$OLD" -X -v tenant=1939964806110937090 -f sql/cells/send.sql | psql "$NEW" -XqAt -v ON_ERROR_STOP=1
--
--   tenant   the tenant
--   first, last   only the devices between these two serials, inclusive, in the order of bytes
--   open=on  open alerts too, with their escalations: for the last run before the placement changes, and those after it
--   after    what an earlier run printed last: of samples, device information and nested documents only rows written since then; of events,
--            whose NULLs are filled without a trace, always all. A device that this run did not send, because it joined the tenant later,
--            is sent from its first row on
--   upload_keys=on   API keys of every tenant with the one scope upload too, if senders of the tenant use one
--
-- What goes: the directory, contacts, rules, routes, shifts, silences, configuration of watches and API keys of the tenant; the secrets of
-- device keys and the revocations, of all tenants; of its devices every sample, event, device information and nested document, the buckets of rollups
-- whose rows were dropped, and alerts with their actions and notifications that are not pending. Rules and routes for everybody that are
-- not there become rules and routes of the tenant; one that is there, and differs, is counted as different, and applies as it is there. Rows keep their ids (vitals.start_ids_at) and have batch_id 0, so no relay evaluates them
-- and nobody is notified of them.
-- What stays: accounting, rejected uploads, logs of watches and of accesses, receipts of erasures, accounts of people who log in, kiosk links; rows of devices that have another tenant by now.
--
-- The other psql prints a line for each table: rows sent, rows that are new there, and rows that differ there. Then it prints when this
-- was, for `after` and for sql/cells/leave.sql; or it fails if a row is missing there, and may be run once more.
-- Rights: the owner of the tables, in both. Both have the same schema version, and the other one keeps rows no longer than this one.
-- Locks: here none that anybody waits for; there alert_rule against changes, for a moment.

\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
\if :{?first} \else \set first '' \endif
\if :{?last} \else \set last '' \endif
\if :{?open} \else \set open off \endif
\if :{?after} \else \set after 0/closed \endif
\if :{?upload_keys} \else \set upload_keys off \endif

create temp table moving_kept as
select vitals.refreshable(r, '-infinity', 'infinity') as kept from vitals.rollup as r where r.source = 'health_data';

begin isolation level repeatable read;
create temp table moving as
select
    :tenant::bigint as customer_id, (:'open')::boolean as with_open, (:'upload_keys')::boolean as with_upload_keys,
    split_part(:'after', '/', 1)::bigint as after_batch_id, nullif(split_part(:'after', '/', 3), '')::bigint as after_run;
create temp table moving_device as
select d.device_sn, exists (select from vitals.sent_device as s where s.device_sn = d.device_sn and s.run = m.after_run) as was_sent
from vitals.devices_of(:tenant, nullif(:'first', ''), nullif(:'last', '')) as d (device_sn)
cross join moving as m;
-- It counts only if the number of this run comes back, which the other psql prints when all has arrived.
insert into vitals.sent_device (run, device_sn, events_hash)
select
    txid_current(), m.device_sn,
    (
        select vitals.hash_of_events(array_agg(e)) from device_event as e
        where e.device_sn = m.device_sn and e.batch_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    )
from moving_device as m;
create temp table moving_org as select org_id from org_unit where customer_id = :tenant;
create temp table moving_user as select user_id from app_user where org_id in (select org_id from moving_org);
create temp table moving_rule as
select rule_id, num_nonnulls(customer_id, org_id, user_id, device_sn) = 0 as for_everybody
from alert_rule
where num_nonnulls(customer_id, org_id, user_id, device_sn) = 0 or customer_id = :tenant
   or org_id in (select org_id from moving_org) or user_id in (select user_id from moving_user)
   or device_sn in (select device_sn from moving_device)
   or rule_id in (select rule_id from alert where device_sn in (select device_sn from moving_device));
create temp table moving_route as
select route_id, num_nonnulls(customer_id, org_id) = 0 as for_everybody, contact_id
from notification_route
where (num_nonnulls(customer_id, org_id) = 0 or customer_id = :tenant or org_id in (select org_id from moving_org))
  and (rule_id is null or rule_id in (select rule_id from moving_rule));
create temp table moving_shift as
select shift_id, contact_id from shift
where customer_id = :tenant or org_id in (select org_id from moving_org)
   or num_nonnulls(customer_id, org_id) = 0 and contact_id in (select contact_id from moving_route);
create temp table moving_alert as
select a.alert_id, a.assigned_to
from alert as a
cross join moving as m
where a.device_sn in (select device_sn from moving_device) and (m.with_open or a.status = 'resolved');
create temp table moving_contact as
select contact_id from contact where user_id in (select user_id from moving_user)
union select contact_id from org_manager where org_id in (select org_id from moving_org)
union select contact_id from moving_shift
union select contact_id from moving_route where contact_id is not null
union select assigned_to from moving_alert where assigned_to is not null;

-- The relations in the order in which they are written there.
--   keys       columns by which a row is found there
--   condition  which rows; and first_time: which rows more, of devices that were not sent before
--   how        keep: a row that is there stays; fill: its NULLs are filled, what grows takes the larger value, and an end the earlier;
--              replace: as fill, but a row that came by sending becomes what it is here
--   instead    columns that are sent as something else
create temp table moving_relation (
    place serial, relation regclass, keys text[], condition text, first_time text, how text, instead jsonb
);
insert into moving_relation (relation, keys, condition, how, instead) values
    ('customer', '{customer_id}', 'x.customer_id = (select customer_id from moving)', 'keep', '{}'),
    ('org_unit', '{org_id}', 'x.org_id in (select org_id from moving_org)', 'keep', '{}'),
    ('app_user', '{user_id}', 'x.user_id in (select user_id from moving_user)', 'keep', '{}'),
    ('device_binding', '{device_sn,valid_from}',
        'x.device_sn in (select device_sn from moving_device) and x.user_id in (select user_id from moving_user)', 'keep', '{}'),
    ('contact', '{contact_id}', 'x.contact_id in (select contact_id from moving_contact)', 'keep',
        '{"user_id": "case when x.user_id in (select user_id from moving_user) then x.user_id end"}'),
    ('contact_address', '{contact_id,channel,address}', 'x.contact_id in (select contact_id from moving_contact)', 'keep', '{}'),
    ('org_manager', '{org_id,contact_id}', 'x.org_id in (select org_id from moving_org)', 'keep', '{}'),
    ('alert_rule', '{rule_id}', 'x.rule_id in (select rule_id from moving_rule)', 'keep',
        '{"customer_id": "case when (select r.for_everybody from moving_rule as r where r.rule_id = x.rule_id) then (select customer_id from moving) else x.customer_id end"}'),
    ('alert_rule_text', '{rule_id,language}', 'x.rule_id in (select rule_id from moving_rule)', 'keep', '{}'),
    ('alert_rule_version', '{rule_id,version}', 'x.rule_id in (select rule_id from moving_rule)', 'keep', '{}'),
    ('notification_route', '{route_id}', 'x.route_id in (select route_id from moving_route)', 'keep',
        '{"customer_id": "case when (select r.for_everybody from moving_route as r where r.route_id = x.route_id) then (select customer_id from moving) else x.customer_id end"}'),
    ('shift', '{shift_id}', 'x.shift_id in (select shift_id from moving_shift)', 'keep', '{}'),
    ('alert_silence', '{silence_id}',
        '(x.customer_id = (select customer_id from moving) or x.org_id in (select org_id from moving_org) '
        'or x.device_sn in (select device_sn from moving_device)) and (x.rule_id is null or x.rule_id in (select rule_id from moving_rule))',
        'keep', '{}'),
    ('device_config', '{customer_id}', 'x.customer_id = (select customer_id from moving)', 'keep', '{}'),
    ('device_config_metric', '{customer_id,metric}', 'x.customer_id = (select customer_id from moving)', 'keep', '{}'),
    ('device_config_interface', '{customer_id,name}', 'x.customer_id = (select customer_id from moving)', 'keep', '{}'),
    ('api_key', '{key_id}',
        'x.customer_id = (select customer_id from moving) '
        'or (select with_upload_keys from moving) and x.customer_id is null and x.scopes = ''{upload}''', 'fill', '{}'),
    -- Of every tenant, as the secrets are: without its revocation, a revoked key of any device would be accepted there.
    ('device_key_revocation', '{device_key_revocation_id}', 'true', 'fill', '{}'),
    ('device', '{device_sn}', 'x.device_sn in (select device_sn from moving_device)', 'keep', '{}'),
    ('health_data', '{device_sn,ts}', null, 'replace', '{}'),
    ('device_info', '{device_sn,ts}', null, 'fill', '{}'),
    ('device_event', '{device_sn,event_type,ts}', 'x.device_sn in (select device_sn from moving_device)', 'fill', '{"batch_id": "0"}'),
    ('sleep_segment', '{device_sn,start_ts,end_ts,type_code}', null, 'fill', '{}'),
    ('exercise_day', '{device_sn,day}', null, 'fill', '{}'),
    ('workout', '{device_sn,start_ts,workout_type}', null, 'fill', '{}'),
    ('health_document', '{device_sn,kind,body}', null, 'keep', '{}');
update moving_relation set
    condition = 'x.device_sn in (select device_sn from moving_device where was_sent) and x.batch_id >= (select after_batch_id from moving)',
    first_time = 'x.device_sn in (select device_sn from moving_device where not was_sent)',
    instead = '{"batch_id": "0"}'
where condition is null;

create temp table moving_alert_relation (like moving_relation including defaults);
insert into moving_alert_relation (relation, keys, condition, how, instead) values
    ('alert', '{alert_id}', 'x.alert_id in (select alert_id from moving_alert)', 'keep', '{}'),
    ('alert_action', '{alert_action_id}', 'x.alert_id in (select alert_id from moving_alert)', 'keep', '{}'),
    ('notification', '{notification_id}', 'x.alert_id in (select alert_id from moving_alert) and x.status <> ''pending''', 'keep', '{}'),
    ('vitals.notification_step', '{alert_id,route_id}',
        'x.alert_id in (select alert_id from moving_alert) and x.route_id in (select route_id from moving_route)', 'keep', '{}');

-- The columns that are written, each as it is sent.
create function pg_temp.columns(relation regclass, instead jsonb, out names text, out sent text)
language sql
as $$
    select
        string_agg(quote_ident(attname), ', ' order by attnum),
        string_agg(coalesce((instead ->> attname) || ' as ' || quote_ident(attname), 'x.' || quote_ident(attname)), ', ' order by attnum)
    from pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped and attgenerated = ''
$$;

-- What runs there first.
select $there$
\set ON_ERROR_STOP on
set client_min_messages = warning;
create temp table moved (relation text, sent bigint, added bigint, different bigint, missing bigint);
create temp table moved_day (device_sn text, first_ts timestamptz, last_ts timestamptz);

-- Writes the rows of pg_temp.arrived, and compares them with what is there then.
create function pg_temp.take(target regclass, keys text[], how text) returns void
language plpgsql
as $$
declare
    names    text := (
        select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = 'pg_temp.arrived'::regclass and attnum > 0 and not attisdropped
    );
    matching text := (
        select string_agg(format(case when a.attnotnull then 't.%1$I = a.%1$I' else 't.%1$I is not distinct from a.%1$I' end, a.attname), ' and ')
        from pg_attribute as a where a.attrelid = target and a.attname = any (keys)
    );
    filling  text := 'do nothing';
    numbers  record;
    added    bigint;
begin
    if how <> 'keep' then
        -- As the statements that store uploads (sql/queries/*/add.sql, batch/merge_replace.sql) merge what is sent twice.
        select format(
            '(%s) do update set %s where (%s) is distinct from (%s)', array_to_string(keys, ', '),
            string_agg(format('%I = %s', c.name, c.merged), ', '), string_agg(format('t.%I', c.name), ', '), string_agg(c.merged, ', ')
        ) into filling
        from (
            select
                attname as name,
                format(
                    case
                        when how = 'replace' then
                            'case when t.batch_id = 0 and t.received_at <= excluded.received_at then excluded.%1$I '
                            'else coalesce(t.%1$I, excluded.%1$I) end'
                        when target = 'exercise_day'::regclass and attname ~ '^(daily|weekly)_' then
                            'case when excluded.%2$s_ts > coalesce(t.%2$s_ts, ''-infinity'') then coalesce(excluded.%1$I, t.%1$I) '
                            'else t.%1$I end'
                        when target = 'exercise_day'::regclass and attname = 'received_at'
                            or target = 'workout'::regclass and attname in ('end_ts', 'calorie', 'distance') then
                            'greatest(t.%1$I, excluded.%1$I)'
                        when target = 'api_key'::regclass and attname in
                            ('secret_hash', 'previous_hash', 'previous_until', 'rotated_at', 'expires_at') then
                            'case when excluded.rotated_at > coalesce(t.rotated_at, ''-infinity'') then excluded.%1$I else t.%1$I end'
                        when target = 'vitals.accepted_device_key_secret'::regclass and attname = 'ends_at' then
                            'least(t.%1$I, excluded.%1$I)'
                        else 'coalesce(t.%1$I, excluded.%1$I)'
                    end,
                    attname, split_part(attname::text, '_', 1)
                ) as merged
            from pg_attribute
            where attrelid = 'pg_temp.arrived'::regclass and attnum > 0 and not attisdropped and attname <> all (keys || '{batch_id}'::text[])
        ) as c;
    end if;
    if target = 'device_key_revocation'::regclass then
        -- Revoked in both cells: the one that is in force here does for both.
        delete from pg_temp.arrived as a using device_key_revocation as t
        where a.readmitted_at is null and t.readmitted_at is null and t.device_key_revocation_id <> a.device_key_revocation_id
          and (t.device_sn = a.device_sn or t.customer_id = a.customer_id);
    elsif target = 'alert'::regclass then
        -- An alert that was raised in both cells is one: the one that is open here.
        update alert as t
        set started_ts = least(t.started_ts, a.started_ts), fired_ts = least(t.fired_ts, a.fired_ts)
        from pg_temp.arrived as a
        where t.device_sn = a.device_sn and t.rule_id = a.rule_id and t.alert_id <> a.alert_id
          and (t.customer_id, t.org_id, t.user_id) is not distinct from (a.customer_id, a.org_id, a.user_id)
          and t.status <> 'resolved' and a.status <> 'resolved';
        delete from pg_temp.arrived as a using alert as t
        where t.device_sn = a.device_sn and t.rule_id = a.rule_id and t.alert_id <> a.alert_id
          and (t.customer_id, t.org_id, t.user_id) is not distinct from (a.customer_id, a.org_id, a.user_id)
          and t.status <> 'resolved' and a.status <> 'resolved';
    elsif 'alert_action_id' = any (keys) or 'notification_id' = any (keys) or keys = '{alert_id,route_id}' then
        execute 'delete from pg_temp.arrived as a where not exists (select from alert as t where t.alert_id = a.alert_id)';
    end if;
    if keys = '{alert_id,route_id}' then
        execute 'delete from pg_temp.arrived as a where not exists '
            '(select from alert as t where t.alert_id = a.alert_id and t.status = ''firing'')';
    end if;
    execute format(
        'insert into %s as t (%s) overriding system value select %s from pg_temp.arrived on conflict %s', target, names, names, filling
    );
    get diagnostics added = row_count;
    execute format(
        'select count(*) as sent, count(*) filter (where t.%1$I is null) as missing, '
        'count(*) filter (where t.%1$I is not null '
            'and not to_jsonb(t) @> (to_jsonb(a) - ''{batch_id,received_at,last_used_at,customer_id,changed_at,changed_by}''::text[])) as different '
        'from pg_temp.arrived as a left join %2$s as t on %3$s', keys[1], target, matching
    ) into numbers;
    insert into moved values (target, numbers.sent, added, numbers.different, numbers.missing);
    if target = 'health_data'::regclass then
        execute 'insert into moved_day select device_sn, min(ts), max(ts) from pg_temp.arrived '
            'group by device_sn, time_bucket(interval ''1 day'', ts)';
    end if;
    drop table pg_temp.arrived;
end
$$;

-- Writes the rows of pg_temp.arrived into the table of a rollup. They are of times whose samples no longer exist.
create function pg_temp.take_rollup(rollup_name text) returns void
language plpgsql
as $$
declare
    r            vitals.rollup;
    target_table constant text := vitals.rollup_table(rollup_name);
    numbers      record;
    added        bigint;
begin
    select * into r from vitals.rollup where name = rollup_name;
    perform vitals.block_rollup_refresh();
    execute vitals.rollup_insert(r, target_table, format(
        'select a.* from pg_temp.arrived as a '
        'where not exists (select from %s as t where t.device_sn = a.device_sn and t.bucket = a.bucket) order by 1, 2', target_table
    ));
    get diagnostics added = row_count;
    execute format(
        'select count(*) as sent, count(*) filter (where t.device_sn is null) as missing, '
        'count(*) filter (where t.samples <> a.samples) as different '
        'from pg_temp.arrived as a left join public.%I as t on t.device_sn = a.device_sn and t.bucket = a.bucket', rollup_name
    ) into numbers;
    insert into moved values (rollup_name, numbers.sent, added, numbers.different, numbers.missing);
    drop table pg_temp.arrived;
end
$$;
$there$;

select format($there$
do $$
begin
    if (select max(version) from refinery_schema_history) <> %s then
        raise exception 'the schema of the cells differs: run `vitals migrate` in the older one';
    end if;
    if exists (
        select from jsonb_to_recordset(%L) as theirs (relation text, keep_for interval)
        join policy as p using (relation)
        where coalesce(p.keep_for, 'infinity') > coalesce(theirs.keep_for, 'infinity')
    ) then
        raise exception 'this cell keeps rows or buckets longer than the one they come from: set policy.keep_for as it is there, and restore it after the move';
    end if;
end
$$;
begin;
alter table alert_rule disable trigger alert_rule_check;
create temp table arrived as select cell, generation, secret, ends_at from vitals.accepted_device_key_secret limit 0;
copy arrived from stdin;$there$,
    (select max(version) from refinery_schema_history),
    (
        select jsonb_agg(jsonb_build_object('relation', p.relation, 'keep_for', p.keep_for)) from policy as p
        where p.relation = 'health_data' or p.relation in (select r.name from vitals.rollup as r)
    ));
copy (
    select (select name from vitals.cell), generation, secret, ends_at from vitals.device_key_secret
    union all
    select cell, generation, secret, ends_at from vitals.accepted_device_key_secret
) to stdout;
select $there$\.
delete from arrived where cell = (select name from vitals.cell);
do $$ begin perform pg_temp.take('vitals.accepted_device_key_secret', '{cell,generation}', 'fill'); end $$;$there$;

select
    format('select %L', format(E'create temp table arrived as select %s from %s limit 0;\ncopy arrived from stdin;', c.names, relation)),
    format(
        'copy (select %1$s from %2$s as x where %3$s%4$s) to stdout', c.sent, relation, condition,
        format(' union all select %s from %s as x where ', c.sent, relation) || first_time
    ),
    format('select %L', format(E'\\.\ndo $$ begin perform pg_temp.take(%L, %L, %L); end $$;', relation::text, keys::text, how))
from moving_relation, pg_temp.columns(relation, instead) as c
order by place
\gexec

select $there$alter table alert_rule enable trigger alert_rule_check;
-- Nothing is evaluated: the rows were, where they came from.
delete from outbox where batch_id = txid_current();
commit;
-- Buckets that no samples are left for must not be computed from samples, so what is new is materialised first.
call refresh_rollups();
begin;$there$;

select
    format('select %L', format(E'create temp table arrived as select %s from %s limit 0;\ncopy arrived from stdin;', c.names, r.name)),
    format(
        'copy (select %s from %I as x where x.device_sn in (select device_sn from moving_device where not was_sent) '
        'and x.bucket < (select max(lower(span)) from moving_kept, unnest(kept) as span) '
        'and not tstzrange(x.bucket, vitals.bucket_end(%L, %L, x.bucket)) <@ (select kept from moving_kept)) to stdout',
        c.sent, r.name, r.width, r.time_zone
    ),
    format('select %L', format(E'\\.\ndo $$ begin perform pg_temp.take_rollup(%L); end $$;', r.name))
from vitals.rollup as r, pg_temp.columns(r.name::regclass, '{}') as c
order by r.position
\gexec

select $there$insert into vitals.rollup_dirty (device_sn, from_bucket, to_bucket)
select device_sn, time_bucket(interval '15 minutes', first_ts), time_bucket(interval '15 minutes', last_ts) + interval '15 minutes'
from moved_day;
commit;
call refresh_rollups();
begin;$there$;

select
    format('select %L', format(E'create temp table arrived as select %s from %s limit 0;\ncopy arrived from stdin;', c.names, relation)),
    format('copy (select %s from %s as x where %s) to stdout', c.sent, relation, condition),
    format('select %L', format(E'\\.\ndo $$ begin perform pg_temp.take(%L, %L, %L); end $$;', relation::text, keys::text, how))
from moving_alert_relation, pg_temp.columns(relation, instead) as c
order by place
\gexec

select $there$-- The Redis view is built again, with the devices and the open alerts.
update vitals.latest_view set generation = generation + 1;
commit;
select * from moved;
do $$
begin
    if exists (select from moved where missing > 0) then
        raise exception 'not all of it is here: %', (select string_agg(relation, ', ') from moved where missing > 0);
    end if;
end
$$;$there$;
select format(
    'select %L;',
    pg_snapshot_xmin(pg_current_snapshot())::text || '/' || case when with_open then 'all' else 'closed' end || '/' || txid_current()
)
from moving;
commit;
