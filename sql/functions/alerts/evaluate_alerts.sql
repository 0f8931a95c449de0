-- Judges committed batches by all rules, in the transaction that ends their outbox rows: no alert is lost, none made twice.
-- Called by finish_batches. Cheap first: a row outside the narrowest bounds of all rules is a candidate; only candidates, and
-- devices with an alert their rows may continue, end or change, meet the rules.
--   batch_ids     the batches
--   devices       their devices; NULL: not known
--   first_ts,     time range of their rows; NULL: no rows
--   last_ts
--   event_from,   time range in which their events lie; NULL: no events
--   event_to
-- Returns whether somebody is to be told.
-- Locks, until the end of the transaction: alert_eval_lock(), alone where something breaches, shared where nothing does; in that case
-- and with alerts that go on or end, alert_eval_lock() + 2 too; the alerts it changes. Whoever sees an alert begin, or not, thus
-- sees all that was committed before, and batches in which nothing happens wait for none of their kind.
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
    -- From here on what others have judged is committed, and seen by the statements that follow.
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
    -- Those that are being finished are no longer in the outbox.
    changed := vitals.evaluate_pairs(pairs, array(select o.batch_id from outbox o));
    return vitals.publish_alert_changes(changed);
end
$$;
comment on function vitals.evaluate_alerts(bigint[], text[], timestamptz, timestamptz, timestamptz, timestamptz) is
    'Judges committed batches by all rules. Called by finish_batches only.';

-- Says what became of alerts to whom it concerns: notifications, and the view in Redis. Whether there is
-- anything to send.
create or replace function vitals.publish_alert_changes(changed vitals.alert_changes) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    if cardinality(changed.changed) = 0 then
        return false;
    end if;
    -- Somebody may hear of these alerts at once: they must be there after a crash of the server, with their numbers.
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
comment on function vitals.publish_alert_changes(vitals.alert_changes) is 'Writes the notifications that changes of alerts cause.';
