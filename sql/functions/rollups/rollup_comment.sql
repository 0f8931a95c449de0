-- Comments every column of every rollup with its meaning and unit; on the Apache edition also the columns of the view of the materialised
-- part. store::rollups calls it from `vitals migrate`.
-- Parameters: none. Locks: the comments only.
create or replace function vitals.comment_rollups() returns void
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    r      vitals.rollup;
    c      record;
    length text;
begin
    for r in select * from vitals.rollup order by position loop
        length := case r.name
            when 'health_15m' then 'quarter hour'
            when 'health_hourly' then 'hour'
            when 'health_daily' then 'day'
            when 'health_weekly' then 'ISO week'
            else 'month'
        end;
        execute format(
            'comment on view public.%I is %L', r.name,
            format('One row per device and %s (%s) in which the device sent a sample.', length, r.time_zone)
        );
        for c in
            select a.attname as name, coalesce(v.words, '') as words
            from pg_attribute as a
            left join lateral (
                select case kind.suffix
                    when 'min' then format('Lowest %s, %s. NULL: not measured in the %s.', vital.title, vital.unit, length)
                    when 'max' then format('Highest %s, %s. NULL: not measured in the %s.', vital.title, vital.unit, length)
                    when 'sum' then format('Sum of all readings of %s, %s. NULL: not measured in the %s.', vital.title, vital.unit, length)
                    when 'count' then format('Readings of %s. NULL: the bucket was computed before this vital sign was added.', vital.title)
                    when 'avg' then format('Mean %s over all readings, %s: sum / count, not rounded. NULL: not measured in the %s.', vital.title, vital.unit, length)
                end as words
                from vitals.metric() as vital,
                    (values ('min'), ('max'), ('sum'), ('count'), ('avg')) as kind (suffix)
                where vital.kind = 'vital sign' and a.attname = vital.name || '_' || kind.suffix
                union all
                select case
                    when kind.suffix = 'sum' then format('%s of the %s: sum of the days, %s. NULL: not sent.', total.title, length, total.unit)
                    when r.source = 'health_daily' then format('%s of the best day of the %s, %s. NULL: not sent.', total.title, length, total.unit)
                    when r.name = 'health_daily' then format('%s of the day, %s. NULL: not sent.', total.title, total.unit)
                    else format('%s of the local day so far, the highest in the %s, %s. NULL: not sent.', total.title, length, total.unit)
                end
                from (
                    select m.name, upper(left(m.title, 1)) || substr(m.title, 2) as title, m.unit
                    from vitals.metric() as m where m.kind = 'day total'
                ) as total,
                    (values ('max'), ('sum')) as kind (suffix)
                where a.attname = total.name || '_' || kind.suffix
                union all
                select fixed.words
                from (values
                    ('device_sn', 'Serial number of the device.'),
                    ('bucket', format('Start of the %s.', length)),
                    ('samples', format('Rows of health_data in the %s.', length)),
                    ('first_ts', 'Event time of the first of them.'),
                    ('last_ts', 'Event time of the last of them.')
                ) as fixed (name, words)
                where a.attname = fixed.name
            ) as v on true
            where a.attrelid = format('public.%I', r.name)::regclass and a.attnum > 0 and not a.attisdropped
        loop
            execute format('comment on column public.%I.%I is %L', r.name, c.name, c.words);
            if r.kept_by = 'vitals' then
                execute format('comment on column vitals.%I.%I is %L', r.name || '_decoded', c.name, c.words);
            end if;
        end loop;
    end loop;
end
$$;
comment on function vitals.comment_rollups() is 'Comments every column of the rollups.';
