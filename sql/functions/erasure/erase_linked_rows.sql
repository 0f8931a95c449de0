-- The last step of an erasure in the database. It deletes rows that refer to each other, in one transaction, after the relay has
-- finished the batches it had claimed.

-- Returns the number of deleted rows by table, and records it. Afterwards the receipt names the devices whose keys still have to be deleted from Redis.
-- Parameters: number of the erasure (NULL: only count), and what is erased.
-- Locks: the row of vitals.directory until commit, before its rows; the rows.
create or replace function vitals.erase_linked_rows(id bigint, of_kind text, of_subject text)
returns table (relation text, taken bigint)
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    count_only constant boolean := id is null;
    of_alerts text := vitals.erasure_predicate(of_kind, of_subject, 'alert');
    alerts    text;
    contacts  text := format('(select contact_id from public.contact where user_id = %s)',
        case of_kind when 'user' then of_subject::bigint end);
    devices   text[] := case of_kind when 'device' then array[of_subject] end;
    part      record;
begin
    if not count_only then
        perform from vitals.directory for update;
    end if;
    execute format(
        'select format(''alert_id = any (%%L::bigint[])'', coalesce(array_agg(x.alert_id), ''{}'')) from public.alert as x where %s',
        of_alerts
    ) into alerts;
    if of_kind = 'user' then
        select array_agg(distinct d.device_sn) into devices from (
            select s.device_sn from vitals.erasure_spans(of_kind, of_subject) as s
            union select x.device_sn from device as x where x.user_id = of_subject::bigint
        ) as d;
    end if;
    -- Who looked, and when, stays: the people who looked account for it, and an erasure must not remove the trace of a misuse. At whom they
    -- looked is erased, with the query of the request, which may name the subject. Before the bindings, which say who wore a device.
    execute format(
        case when count_only then 'select count(*) from access_log as x where %s'
            else 'with gone as (update access_log as x set device_sn = null, user_id = null, filter = null, erased = true '
                'where %s returning 1) select count(*) from gone' end,
        vitals.erasure_predicate(of_kind, of_subject, 'access_log')
    ) into taken;
    relation := 'access_log';
    if taken > 0 then
        return next;
    end if;
    if not count_only then
        perform vitals.count_erased(id, relation, taken);
    end if;
    for part in
        select * from (values
            (1, 'both', 'notification', alerts),
            (2, 'both', 'alert_action', alerts),
            (3, 'both', 'alert', alerts),
            -- This includes the rows that the deletion of alerts has added: the keys of the device in Redis are deleted as a whole.
            (4, 'device', 'vitals.alert_change', format('device_sn = %L', of_subject)),
            (4, 'user', 'vitals.alert_change', alerts),
            (4, 'device', 'vitals.outbox_device', format('device_sn = %L', of_subject)),
            (5, 'device', 'alert_silence', format('device_sn = %L', of_subject)),
            (6, 'user', 'vitals.notification_target', format(
                '(channel, address) in (select a.channel, a.address from public.contact_address as a where a.contact_id in %1$s '
                'and not exists (select from public.contact_address as o where o.channel = a.channel '
                'and o.address = a.address and o.contact_id not in %1$s))', contacts)),
            (7, 'user', 'notification', format('contact_id in %s', contacts)),
            (7, 'user', 'shift', format('contact_id in %s', contacts)),
            (8, 'user', 'contact_address', format('contact_id in %s', contacts)),
            (9, 'user', 'contact', format('contact_id in %s', contacts)),
            (10, 'device', 'device_binding', format('device_sn = %L', of_subject)),
            (11, 'user', 'device_binding', format('user_id = %L', of_subject)),
            (12, 'user', 'app_user', format('user_id = %L', of_subject)),
            (13, 'device', 'vitals.rollup_dirty', format('device_sn = %L', of_subject)),
            (13, 'device', 'vitals.sent_device', format('device_sn = %L', of_subject)),
            (14, 'device', 'device', format('device_sn = %L', of_subject))
        ) as p (place, kind, relation, predicate)
        where p.kind in ('both', of_kind)
        order by place
    loop
        relation := part.relation;
        execute format(
            case when count_only then 'select count(*) from %s where %s'
                else 'with gone as (delete from %s where %s returning 1) select count(*) from gone' end,
            part.relation, part.predicate
        ) into taken;
        if taken > 0 then
            return next;
        end if;
        if not count_only then
            perform vitals.count_erased(id, relation, taken);
        end if;
    end loop;
    if count_only then
        return;
    end if;
    if of_kind = 'user' then
        -- The device stays, as if it had only just sent its first data.
        update device set
            info_ts = null, customer_id = null, org_id = null, user_id = null, system_version = null, model = null,
            wifi_address = null, bluetooth_address = null, ip_address = null, network_mode = null, device_name = null,
            imei = null, battery_level = null, voltage = null, charging_status = null, wear_state = null, status = null
        where user_id = of_subject::bigint;
    end if;
    update erasure
    set erased_at = clock_timestamp(), subject = null, pending = array(select distinct d from unnest(pending || devices) as d)
    where erasure_id = id;
    update vitals.erased_span set erased_at = clock_timestamp() where erasure_id = id;
end
$$;
comment on function vitals.erase_linked_rows(bigint, text, text) is 'Deletes the rows that refer to each other, and completes an erasure in the database; rows by table.';

-- A whole erasure in one transaction, for use from SQL. `vitals erase` does the same in steps, and then clears Redis. If the subject has
-- no rows there is no receipt, so that a mistyped serial does not look like an erased one.
create or replace function vitals.erase(of_kind text, of_subject text) returns erasure
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- No limit on the number of decompressed rows.
set timescaledb.max_tuples_decompressed_per_dml_transaction = 0
as $$
declare
    last    bigint := (select max(erasure_id) from erasure);
    id      bigint := vitals.begin_erasure(of_kind, of_subject);
    step    record;
    receipt erasure;
begin
    for step in select * from vitals.erasure_steps(of_kind) loop
        perform vitals.erase_step(id, of_kind, of_subject, step.relation, step.from_ts, step.to_ts);
    end loop;
    perform vitals.erase_linked_rows(id, of_kind, of_subject);
    select * into receipt from erasure where erasure_id = id;
    -- An interrupted erasure, which this one continues, may have deleted everything already.
    if receipt.counts = '{}' and id > coalesce(last, 0) then
        raise exception 'nothing is known of % %: nothing was erased, and there is no receipt', of_kind, of_subject
            using errcode = 'no_data_found';
    end if;
    return receipt;
end
$$;
comment on function vitals.erase(text, text) is 'Erases a device or a user from the database in one transaction; an error if there is no data of it.';

create or replace function public.erase_device(device_sn text) returns erasure
language sql
as $$
    select vitals.erase('device', device_sn)
$$;
comment on function public.erase_device(text) is 'Deletes all data of a device from the database and returns the receipt; an error if there is none. `vitals erase finish` then clears Redis.';

create or replace function public.erase_user(user_id bigint) returns erasure
language sql
as $$
    select vitals.erase('user', user_id::text)
$$;
comment on function public.erase_user(bigint) is 'Deletes all data of a user from the database and returns the receipt; an error if there is none. `vitals erase finish` then clears Redis.';
