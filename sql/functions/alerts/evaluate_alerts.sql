-- Evaluates all rules for committed batches, in the transaction that deletes their outbox rows: no alert is lost or raised twice.
-- Called by finish_batches. The cheap check comes first: a row outside the narrowest bounds of all rules is a candidate; rules are
-- evaluated only for candidates, and for devices with an alert that the rows may change.
--   batch_ids     the batches
--   devices       their devices; NULL: not known
--   first_ts,     time range of their rows; NULL: no rows
--   last_ts
--   event_from,   time range in which their events lie; NULL: no events
--   event_to
-- Returns whether there is anything to publish or send.
-- Locks, until the end of the transaction: alert_eval_lock(), exclusively if a row breaches, shared if none does; in the second case,
-- if alerts continue or end, alert_eval_lock() + 2 too; the alerts it changes. So the decision whether an alert starts is made with
-- everything committed before, and batches without a breach do not wait for each other.
create or replace function vitals.evaluate_alerts(
    batch_ids bigint[], devices text[], first_ts timestamptz, last_ts timestamptz,
    event_from timestamptz, event_to timestamptz
) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- Times have to be seen by the planner: it leaves out the chunks of other days.
set plan_cache_mode = force_custom_plan
as $$
declare
    breached vitals.alert_pairs;
    pairs    vitals.alert_pairs;
    changed  vitals.alert_changes;
begin
    breached := vitals.breached_pairs(batch_ids, first_ts, last_ts, event_from, event_to);
    -- From here on, other evaluations are committed, and visible to the following statements.
    if cardinality(breached.rule_ids) > 0 then
        perform pg_advisory_xact_lock(vitals.alert_eval_lock());
        pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, first_ts, last_ts);
    else
        perform pg_advisory_xact_lock_shared(vitals.alert_eval_lock());
        pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, first_ts, last_ts);
        if cardinality(pairs.rule_ids) > 0 then
            perform pg_advisory_xact_lock(vitals.alert_eval_lock() + 2);
            pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, first_ts, last_ts);
        end if;
    end if;
    if cardinality(pairs.rule_ids) = 0 then
        return false;
    end if;
    -- The batches that are being finished are no longer in the outbox.
    changed := vitals.evaluate_pairs(pairs, array(select o.batch_id from outbox o));
    return vitals.publish_alert_changes(changed);
end
$$;
comment on function vitals.evaluate_alerts(bigint[], text[], timestamptz, timestamptz, timestamptz, timestamptz) is
    'Evaluates all rules for committed batches. Called by finish_batches only.';

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
    if cardinality(changed.resolved) > 0 then
        perform vitals.notify_alerts(changed.resolved, 'resolved');
    end if;
    perform vitals.show_alerts(changed.changed);
    return true;
end
$$;
comment on function vitals.publish_alert_changes(vitals.alert_changes) is 'Records the notifications that changes of alerts cause.';
