-- The levels of a rule. A rule has a lowest level (its own bounds and severity, level 0) and may have graver ones (alert_rule.levels, level
-- 1 and up), each with bounds at or outside those of the level before. A level is on from a trigger of its bounds until a recovery
-- inside them, with the same numbers of readings as the rule; so a level is never on without those below it, and the severity of an
-- alert is that of the highest level that is on.
-- Before: derive_alerts, extend_alerts, rebuild_alerts. Locks: none.

-- The next state: of all levels after one more reading.
--   state              {level, n, then a run of breaching and a run of recovered readings for each of n levels}; NULL: the first reading
--   depth              how many levels the reading breaches; NULL: not known, which ends all runs
--   levels             how many levels the rule has
--   seed_level         the level before the first reading
--   is_evaluated       false: an earlier reading, which only completes runs
--   is_near            the last `consecutive` readings lie within the window of the rule
--   recovers_near      the last `recovery_count` readings lie within a day
--   expires            the alert before this reading has expired
create or replace function vitals.next_level(
    state integer[], depth integer, levels integer, seed_level integer, is_evaluated boolean, is_near boolean, recovers_near boolean,
    expires boolean, consecutive integer, recovery_count integer
) returns integer[]
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    level integer;
begin
    if state is null then
        state := array[coalesce(seed_level, 0)] || array_fill(0, array[2 * levels]);
    end if;
    level := case when expires then 0 else state[1] end;
    for each_level in 1 .. levels loop
        if depth is null then
            state[2 * each_level] := 0;
            state[2 * each_level + 1] := 0;
        elsif depth >= each_level then
            state[2 * each_level] := state[2 * each_level] + 1;
            state[2 * each_level + 1] := 0;
            if is_evaluated and is_near and state[2 * each_level] >= consecutive then
                level := greatest(level, each_level);
            end if;
        else
            state[2 * each_level] := 0;
            state[2 * each_level + 1] := state[2 * each_level + 1] + 1;
            if is_evaluated and recovers_near and state[2 * each_level + 1] >= recovery_count then
                level := least(level, each_level - 1);
            end if;
        end if;
    end loop;
    state[1] := level;
    return state;
end
$$;
comment on function vitals.next_level(integer[], integer, integer, integer, boolean, boolean, boolean, boolean, integer, integer) is
    'Which levels of a rule are on after one more reading: the transition of vitals.level_after().';

create or replace function vitals.level_of_state(state integer[]) returns integer
language sql immutable
as $$ select state[1] $$;
comment on function vitals.level_of_state(integer[]) is 'The highest level that is on: the result of vitals.level_after().';

create or replace aggregate vitals.level_after(
    depth integer, levels integer, seed_level integer, is_evaluated boolean, is_near boolean, recovers_near boolean, expires boolean,
    consecutive integer, recovery_count integer
) (
    sfunc = vitals.next_level,
    stype = integer[],
    finalfunc = vitals.level_of_state
);
comment on aggregate vitals.level_after(integer, integer, integer, boolean, boolean, boolean, boolean, integer, integer) is
    'The highest level of a rule that is on after these readings.';

-- The severity of a level; level 0 is the lowest.
create or replace function vitals.severity_of_level(rule alert_rule, level integer) returns text
language sql immutable
as $$ select case when level > 0 then (rule).levels -> (level - 1) ->> 'severity' else (rule).severity end $$;
comment on function vitals.severity_of_level(alert_rule, integer) is 'The severity of a level of a rule.';

-- How grave a severity is: 1 info to 4 critical.
create or replace function vitals.severity_rank(severity text) returns integer
language sql immutable parallel safe
as $$ select array_position(array['info', 'minor', 'major', 'critical'], severity) $$;
comment on function vitals.severity_rank(text) is 'How grave a severity is: 1 info to 4 critical.';

create or replace function vitals.graver_severity(one text, other text) returns text
language sql immutable parallel safe
as $$ select case when vitals.severity_rank(one) >= vitals.severity_rank(other) then one else other end $$;
comment on function vitals.graver_severity(text, text) is 'The graver one of two severities.';

-- The level of a rule that an open alert with a severity has: the highest one that is not graver.
create or replace function vitals.level_of_severity(rule alert_rule, severity text) returns integer
language sql immutable
as $$
    select count(*)::integer
    from jsonb_array_elements((rule).levels) as l
    where vitals.severity_rank(l ->> 'severity') <= vitals.severity_rank(severity)
$$;
comment on function vitals.level_of_severity(alert_rule, text) is 'The level of a rule that an open alert with this severity has.';

-- A rule as its messages are to show it while a level is on: with the severity of the level.
create or replace function vitals.rule_at_level(rule alert_rule, level integer) returns alert_rule
language plpgsql immutable
set search_path = pg_catalog, public, pg_temp
as $$
begin
    rule.severity := vitals.severity_of_level(rule, rule_at_level.level);
    return rule;
end
$$;
comment on function vitals.rule_at_level(alert_rule, integer) is 'A rule with the severity of one of its levels.';

-- What happens to an alert when its level changes: one action a change.
--   first_level    the level before the first change
--   level_values   the levels that follow, level_ts since when
create or replace function vitals.level_actions(first_level integer, level_values integer[], level_ts timestamptz[])
returns table (place bigint, action text, level integer, event_ts timestamptz)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select
        c.place, case when c.level > lag(c.level, 1, level_actions.first_level) over (order by c.place) then 'raised' else 'lowered' end,
        c.level, c.ts
    from unnest(level_actions.level_values, level_actions.level_ts) with ordinality as c (level, ts, place)
$$;
comment on function vitals.level_actions(integer, integer[], timestamptz[]) is 'The actions raised and lowered for the changes of the level of an alert.';

-- Whether people are notified of a rise: one that did not come late.
create or replace function vitals.is_raised(first_level integer, level_values integer[], level_late boolean[]) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(bool_or(c.level > c.was_level and not c.late), false)
    from (
        select c.level, c.late, lag(c.level, 1, is_raised.first_level) over (order by c.place) as was_level
        from unnest(is_raised.level_values, is_raised.level_late) with ordinality as c (level, late, place)
    ) as c
$$;
comment on function vitals.is_raised(integer, integer[], boolean[]) is 'Whether a level rose by a reading that was not late.';
