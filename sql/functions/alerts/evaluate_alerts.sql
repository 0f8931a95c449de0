-- Evaluates all rules for committed rows, in the transaction in which they cease to be pending: no alert is lost or raised twice.
-- Called by finish_batches and evaluate_slice. The cheap check comes first: a row outside the narrowest bounds of all rules is a
-- candidate; rules are evaluated only for candidates, and for devices with an alert that the rows may change.
--   batch_ids     the batches of the rows
--   devices       their devices; NULL: not known
--   is_slice      true: only rows of `devices` are evaluated, which are few of those of the batches
--   first_ts,     time range of the rows; NULL: no rows
--   last_ts
--   event_from,   time range in which their events lie; NULL: no events
--   event_to
-- Returns whether there is anything to publish or send.
-- Locks, until the end of the transaction: those of alert_locks.sql; the alerts it changes. So the decision whether an alert starts is
-- made with everything committed before, and other devices wait for nothing but a device of their partition.
create or replace function vitals.evaluate_alerts(
    batch_ids bigint[], devices text[], is_slice boolean, first_ts timestamptz, last_ts timestamptz,
    event_from timestamptz, event_to timestamptz
) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- Times have to be seen by the planner: it leaves out the chunks of other days.
set plan_cache_mode = force_custom_plan
as $$
declare
    breached  vitals.alert_pairs;
    pairs     vitals.alert_pairs;
    continued text[];
begin
    breached := vitals.breached_pairs(batch_ids, devices, is_slice, first_ts, last_ts, event_from, event_to);
    -- Behind each lock, what was evaluated under it before is committed, and visible to the following statements.
    perform vitals.lock_alerts(breached.device_sns, case when first_ts is null then '{}' else devices end);
    pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, is_slice, first_ts, last_ts);
    continued := array(select d from unnest(pairs.device_sns) as d where d <> all (breached.device_sns));
    if cardinality(continued) > 0 then
        perform vitals.lock_continued_alerts(continued);
        pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, is_slice, first_ts, last_ts);
    end if;
    if cardinality(pairs.rule_ids) = 0 then
        return false;
    end if;
    return vitals.publish_alert_changes(vitals.evaluate_pairs(pairs));
end
$$;
comment on function vitals.evaluate_alerts(bigint[], text[], boolean, timestamptz, timestamptz, timestamptz, timestamptz) is
    'Evaluates all rules for committed rows. Called by finish_batches and evaluate_slice only.';

-- Records the notifications and the changes of the Redis view that changed alerts cause. Returns whether there is anything to
-- publish or send.
create or replace function vitals.publish_alert_changes(changed vitals.alert_changes) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if cardinality(changed.changed) = 0 then
        return false;
    end if;
    -- People may be notified at once: the alerts must survive a crash of the server, with their numbers.
    perform set_config('synchronous_commit', 'on', true);
    if cardinality(changed.fired) > 0 then
        perform vitals.notify_alerts(changed.fired, 'fired');
    end if;
    if cardinality(changed.raised) > 0 then
        perform vitals.notify_alerts(changed.raised, 'raised');
    end if;
    if cardinality(changed.resolved) > 0 then
        perform vitals.notify_alerts(changed.resolved, 'resolved');
    end if;
    perform vitals.show_alerts(changed.changed);
    return true;
end
$$;
comment on function vitals.publish_alert_changes(vitals.alert_changes) is 'Records the notifications that changes of alerts cause.';
