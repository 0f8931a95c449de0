-- Which policies are refused: those with which a refresh would read time whose rows were dropped, or rows would be dropped before they
-- are rolled up. Checked when policy changes, whoever changes it, and again each time it is applied.

-- Length of an interval whose months have a given number of days. Intervals with months can only be compared this way.
create or replace function vitals.length_of(span interval, days_of_month integer) returns interval
language sql
immutable strict parallel safe
as $$
    select make_interval(secs =>
        m.months * days_of_month * 86400.0 + extract(epoch from span - make_interval(months => m.months))::float8)
    from (select (extract(year from span) * 12 + extract(month from span))::integer as months) as m
$$;
comment on function vitals.length_of(interval, integer) is 'Length of an interval whose months have a given number of days.';

-- Age at which every row is certain to be in its bucket: the sum of width, refresh_lag and refresh_every, including the rollups below.
create or replace function vitals.rolled_up_after(rollup_name text) returns interval
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    own   record;
    below interval;
begin
    select r.source, r.width, p.refresh_lag, p.refresh_every into own
    from vitals.rollup as r join public.policy as p on p.relation = r.name
    where r.name = rollup_name;
    if own.source <> 'health_data' then
        below := vitals.rolled_up_after(own.source);
    end if;
    return vitals.length_of(own.width, 31) + greatest(vitals.length_of(own.refresh_lag, 31), below)
        + vitals.length_of(own.refresh_every, 31);
end
$$;
comment on function vitals.rolled_up_after(text) is 'Age at which a row is certain to be in its bucket of a rollup.';

-- Why the table policy is refused as it is; NULL: it is not.
create or replace function vitals.policy_refusal() returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- A refresh stays an hour ahead of retention (vitals.refreshable), and a local day may have 25 hours.
    ahead constant interval := interval '2 hours';
    p     record;
    r     record;
    needs interval;
begin
    for p in
        select o.*, t.kind
        from public.policy as o left join vitals.policy_relations() as t on t.relation = o.relation
        order by t.place
    loop
        if p.kind is null then
            return format('there is no relation %s', p.relation);
        elsif p.kind = 'rollup' and (p.refresh_every is null or p.refresh_lag is null) then
            return format('%s is a rollup: without refresh_every and refresh_lag it would never be refreshed', p.relation);
        elsif p.kind = 'table' and p.compress_after is not null then
            return format('%s is a plain table: only hypertables and rollups can be compressed', p.relation);
        end if;
    end loop;
    for r in
        select o.name, o.source, o.width, s.keep_for, own.relation, own.keep_for as own_keep_for
        from vitals.rollup as o
        left join public.policy as own on own.relation = o.name
        left join public.policy as s on s.relation = o.source
        order by o.position
    loop
        if r.relation is null then
            return format('%s is a rollup: without its row in policy it would never be refreshed', r.name);
        end if;
        needs := vitals.rolled_up_after(r.name) + ahead;
        if vitals.length_of(r.own_keep_for, 28) < needs then
            return format('%s.keep_for = %s is too short: a bucket is complete only when it is %s old', r.name, r.own_keep_for, needs);
        end if;
        if vitals.length_of(r.keep_for, 28) < needs then
            return format(
                '%s.keep_for = %s is too short: %s is computed from it and needs its rows until they are %s old (bucket of %s, '
                'refresh_lag and refresh_every of all rollups up to it, and a margin of %s between refresh and retention)',
                r.source, r.keep_for, r.name, needs, r.width, ahead
            );
        end if;
    end loop;
    -- This check comes last: if keep_for is too short for a rollup, that is the more important reason.
    for p in select o.relation, o.compress_after, o.keep_for from public.policy as o order by o.relation loop
        if vitals.length_of(p.compress_after, 31) >= vitals.length_of(p.keep_for, 28) then
            return format(
                '%s.compress_after = %s is not less than its keep_for = %s: chunks would be dropped before they are compressed',
                p.relation, p.compress_after, p.keep_for
            );
        end if;
    end loop;
    return null;
end
$$;
comment on function vitals.policy_refusal() is 'Why the table policy is refused as it is; NULL: it is not.';

-- Why keep_for cannot be made shorter now; NULL: it can. Once keep_for is shorter, no refresh reads anything older.
-- Parameters: the relation, and its previous keep_for (NULL: rows were kept for ever).
create or replace function vitals.retention_refusal(of_relation text, kept interval) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    age     timestamptz;
    cutoff  record;
    oldest  timestamptz;
begin
    if not exists (select from vitals.rollup where source = of_relation) then
        return null;
    end if;
    select now() - keep_for into age from public.policy where relation = of_relation;
    select * into cutoff from vitals.policy_cutoff(of_relation, coalesce(now() - kept + interval '1 hour', '-infinity'));
    select min(c.range_start) into oldest
    from vitals.policy_relations() as t
    join timescaledb_information.chunks as c on c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
    where t.relation = of_relation and c.range_end > cutoff.until;
    if cutoff.until < age and oldest < age then
        return format(
            '%s.keep_for = %s would drop rows before they are rolled up: %s. `call refresh_rollups()` first',
            of_relation, (select keep_for from public.policy where relation = of_relation), cutoff.held
        );
    end if;
    return null;
end
$$;
comment on function vitals.retention_refusal(text, interval) is 'Why keep_for of a relation cannot be made shorter now; NULL: it can.';

-- Runs as its owner: a role that may change policy need not own the jobs.
create or replace function vitals.policy_check() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    refusal text := vitals.policy_refusal();
begin
    if refusal is null and tg_op <> 'DELETE' and new.keep_for is not null
        and (tg_op = 'INSERT' or old.keep_for is null or new.keep_for < old.keep_for)
    then
        refusal := vitals.retention_refusal(new.relation, case when tg_op = 'UPDATE' then old.keep_for end);
    end if;
    if refusal is not null then
        raise exception 'policy: %', refusal using errcode = 'check_violation', schema = 'public', table = 'policy';
    end if;
    perform vitals.sync_policies();
    return null;
end
$$;
comment on function vitals.policy_check() is 'Refuses a policy that would lose data; otherwise updates the jobs of TimescaleDB.';

create or replace function vitals.refuse_policy_truncate() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'policy: without their rows the rollups would never be refreshed' using errcode = 'check_violation';
end
$$;
comment on function vitals.refuse_policy_truncate() is 'Refuses to truncate policy.';
