-- What an erasure covers. `vitals erase` runs each step in its own transaction. A repeated step finds nothing to delete, so an interrupted
-- erasure can be continued.

-- Starts an erasure, or continues an interrupted one; returns its number. From its commit on, uploads that were received before and wait
-- in the buffer are not stored (sql/queries/erasure/covered.sql).
create or replace function vitals.begin_erasure(of_kind text, of_subject text) returns bigint
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    id      bigint;
    of_user constant bigint := case of_kind when 'user' then of_subject::bigint end;
begin
    insert into erasure (kind, subject, asked_by)
    values (
        of_kind, of_subject,
        coalesce(nullif(current_setting('vitals.actor', true), ''), session_user)
    )
    on conflict (kind, subject) where erased_at is null do nothing;
    select erasure_id into id from erasure
    where kind = of_kind and subject = of_subject and erased_at is null;
    insert into vitals.erased_span (erasure_id, device_sn, user_id, from_ts, to_ts)
    select
        id, case of_kind when 'device' then of_subject end, of_user, '-infinity'::timestamptz, 'infinity'::timestamptz
    union all
    select id, s.device_sn, of_user, s.from_ts, s.to_ts from vitals.erasure_spans(of_kind, of_subject) as s
    on conflict do nothing;
    return id;
end
$$;
comment on function vitals.begin_erasure(text, text) is 'Starts an erasure, or finds an interrupted one.';

-- Which devices a user wore, and when.
create or replace function vitals.erasure_spans(of_kind text, of_subject text)
returns table (device_sn text, from_ts timestamptz, to_ts timestamptz)
language plpgsql
stable
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if of_kind = 'user' then
        return query
        select b.device_sn, b.valid_from, coalesce(b.valid_until, 'infinity')
        from device_binding as b where b.user_id = of_subject::bigint;
    end if;
end
$$;
comment on function vitals.erasure_spans(text, text) is 'Which devices a user wore, and when.';

-- The steps: one per chunk of a hypertable, one per plain table.
create or replace function vitals.erasure_steps(of_kind text)
returns table (relation text, from_ts timestamptz, to_ts timestamptz)
language plpgsql
stable
set search_path = pg_catalog, public, pg_temp
as $$
begin
    return query
    select t.relation, c.range_start, c.range_end
    from vitals.policy_relations() as t
    join timescaledb_information.chunks as c on c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
    where t.relation in ('health_data', 'device_info', 'device_event') or (of_kind = 'device' and t.kind = 'rollup')
    order by t.place, c.range_start;
    return query
    select t.relation, null::timestamptz, null::timestamptz
    from unnest('{sleep_segment,exercise_day,workout,health_document,rejected_upload,unknown_name,watch_log}'::text[]) as t (relation);
    if of_kind = 'user' then
        return query select 'rollups', null::timestamptz, null::timestamptz;
    end if;
end
$$;
comment on function vitals.erasure_steps(text) is 'The steps of an erasure.';

-- The rows of a plain table that belong to the subject. A row without a user belongs to the user who wore the device at that time.
create or replace function vitals.erasure_predicate(of_kind text, of_subject text, of_relation text) returns text
language plpgsql
stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    event_time text := case of_relation
        when 'sleep_segment' then 'x.end_ts'
        when 'exercise_day' then 'coalesce(x.daily_ts, x.weekly_ts)'
        when 'workout' then 'x.start_ts'
        when 'health_document' then 'x.ts'
        when 'alert' then 'x.fired_ts'
        when 'watch_log' then 'x.ts'
        when 'unknown_name' then 'x.first_seen_at'
        when 'access_log' then 'x.accessed_at'
        else 'x.received_at'
    end;
    worn_by_user text := format(
        'exists (select from vitals.erasure_spans(%L, %L) as s '
        'where s.device_sn = x.device_sn and %s >= s.from_ts and %s < s.to_ts)',
        of_kind, of_subject, event_time, event_time
    );
begin
    if of_relation = 'rejected_upload' then
        -- A reject may contain the subject in a text that could not be parsed.
        return case of_kind
            when 'device' then format(
                'x.device_sn = %1$L or x.device_sn is null and (position(to_json(%1$L::text)::text in x.body) > 0 '
                'or position(to_json(%1$L::text)::text in coalesce(x.inherited::text, '''')) > 0)', of_subject)
            else worn_by_user || format(
                ' or x.body ~ %1$L or x.inherited::text ~ %1$L',
                '"user_?[iI]d"\s*:\s*"?' || of_subject::bigint || '\M')
        end;
    elsif of_kind = 'device' then
        return format('x.device_sn = %L', of_subject);
    end if;
    if of_relation in ('watch_log', 'unknown_name') then
        return worn_by_user;
    end if;
    return format('x.user_id = %L or x.user_id is null and %s', of_subject::bigint, worn_by_user);
end
$$;
comment on function vitals.erasure_predicate(text, text, text) is 'Predicate of the rows of a table that an erasure deletes.';
