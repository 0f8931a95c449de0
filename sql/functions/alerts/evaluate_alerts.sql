-- Evaluates all rules for committed rows, in the transaction in which they cease to be pending: no alert is lost or raised twice.
-- Called by finish_batches and evaluate_slice. The cheap check comes first: a row outside the narrowest bounds of all rules is a
-- candidate; rules are evaluated only for candidates, and for devices with an alert that the rows may change.
--   batch_ids     the batches of the rows
--   devices       their devices, and maybe more
--   partitions    a bit for each partition of the devices of their readings
--   is_slice      true: only rows of `devices` are evaluated, which are few of those of the batches
--   first_ts,     time range of the rows; NULL: no rows
--   last_ts
--   event_from,   time range in which their events lie; NULL: no events
--   event_to
-- Returns whether there is anything to publish or send.
-- Locks, until the end of the transaction: those of alert_locks.sql; the alerts it changes. So the decision whether an alert starts is
-- made with everything committed before, and other devices wait for nothing but a device of their partition.
create or replace function vitals.evaluate_alerts(
    batch_ids bigint[], devices text[], partitions bigint, is_slice boolean, first_ts timestamptz, last_ts timestamptz,
    event_from timestamptz, event_to timestamptz
) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
-- Times have to be seen by the planner: it leaves out the chunks of other days.
set plan_cache_mode = force_custom_plan
as $$
declare
    breached   vitals.alert_pairs;
    pairs      vitals.alert_pairs;
    breaching  text[];
    with_event text[] := '{}';
    continued  text[];
    changed    vitals.alert_changes;
begin
    breached := vitals.breached_pairs(batch_ids, devices, is_slice, first_ts, last_ts, event_from, event_to);
    breaching := breached.device_sns;
    if event_from is not null then
        select coalesce(array_agg(p.device_sn) filter (where r.kind = 'event'), '{}'),
            coalesce(array_agg(p.device_sn) filter (where r.kind <> 'event'), '{}')
        into with_event, breaching
        from unnest(breached.rule_ids, breached.device_sns) as p (rule_id, device_sn)
        join alert_rule r on r.rule_id = p.rule_id;
    end if;
    -- Behind each lock, what was evaluated under it before is committed, and visible to the following statements.
    perform vitals.lock_alerts(breaching, partitions);
    perform vitals.lock_event_alerts(with_event);
    pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, is_slice, first_ts, last_ts);
    continued := array(
        select p.device_sn
        from unnest(pairs.rule_ids, pairs.device_sns) as p (rule_id, device_sn)
        where p.device_sn <> all (breaching)
          and not exists (select from alert_rule r where r.rule_id = p.rule_id and r.kind = 'event')
    );
    if cardinality(continued) > 0 then
        perform vitals.lock_continued_alerts(continued);
        pairs := vitals.pairs_to_evaluate(breached, batch_ids, devices, is_slice, first_ts, last_ts);
    end if;
    if cardinality(pairs.rule_ids) = 0 then
        return false;
    end if;
    changed := vitals.evaluate_pairs(pairs);
    if event_from is not null then
        changed := vitals.fire_repeated_alarms(changed, batch_ids, devices, is_slice, event_from, event_to);
    end if;
    return vitals.publish_alert_changes(changed);
end
$$;
comment on function vitals.evaluate_alerts(bigint[], text[], bigint, boolean, timestamptz, timestamptz, timestamptz, timestamptz) is
    'Evaluates all rules for committed rows. Called by finish_batches and evaluate_slice only.';

-- Open alerts of urgent events (SOS, one-key alarm, fall) that happened once more: each fires again, also when a person had
-- acknowledged it, because that person does not know of the new one. Returns `changed` with these alerts added. Alerts that fired in
-- this transaction anyway are left out, and so are events that are evidently history (see derive_alerts).
create or replace function vitals.fire_repeated_alarms(
    changed vitals.alert_changes, batch_ids bigint[], devices text[], is_slice boolean, event_from timestamptz, event_to timestamptz
) returns vitals.alert_changes
language plpgsql
set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    fired bigint[];
begin
    with repeated as (
        select a.alert_id, max(e.event_type) as event_type
        from device_event e
        join alert a
          on a.device_sn = e.device_sn and a.kind = 'event' and a.event_type = e.event_type and a.status <> 'resolved' and not a.historical
         and (a.customer_id, a.org_id, a.user_id) is not distinct from (e.customer_id, e.org_id, e.user_id)
         and e.ts between a.started_ts and a.last_ts
        join alert_rule r on r.rule_id = a.rule_id and (r.event_values is null or e.value = any (r.event_values))
        where vitals.is_evaluated_row(
                e.batch_id, e.device_sn, fire_repeated_alarms.batch_ids, fire_repeated_alarms.devices, fire_repeated_alarms.is_slice
            )
          and e.ts between fire_repeated_alarms.event_from and fire_repeated_alarms.event_to
          and vitals.is_urgent_event(e.event_type)
          and a.alert_id <> all (changed.fired)
          and vitals.in_effect(
              e.ts, r.effective_from, r.effective_until, r.effective_days, coalesce(r.time_zone, vitals.default_zone())
          )
          and not (
              e.ts + make_interval(secs => r.late_after_seconds) < e.received_at
              and (
                  e.received_at < now() - interval '1 day'
                  or exists (
                      select from device_event o
                      where o.device_sn = e.device_sn and o.event_type = e.event_type and o.received_at = e.received_at and o.ts <> e.ts
                  )
              )
          )
        group by a.alert_id
    ),
    firing as (
        update alert a
        set status = 'firing', acknowledged_at = null, acknowledged_by = null, updated_at = vitals.next_updated_at(a.updated_at)
        from repeated r
        where a.alert_id = r.alert_id and a.status <> 'resolved'
        returning a.alert_id, a.severity, r.event_type
    ),
    acted as (
        insert into alert_action (alert_id, action, severity, note)
        select f.alert_id, 'fired', f.severity, f.event_type || ' once more' from firing f order by f.alert_id
    )
    select coalesce(array_agg(f.alert_id), '{}') into fired from firing f;
    changed.changed := changed.changed || fired;
    changed.fired := changed.fired || fired;
    return changed;
end
$$;
comment on function vitals.fire_repeated_alarms(vitals.alert_changes, bigint[], text[], boolean, timestamptz, timestamptz) is
    'Fires the open alerts of urgent events that happened once more.';

-- Records the notifications and the changes of the Redis view that changed alerts cause. Returns whether there is anything to
-- publish or send.
create or replace function vitals.publish_alert_changes(changed vitals.alert_changes) returns boolean
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    reopened bigint[];
begin
    if cardinality(changed.changed) = 0 then
        return false;
    end if;
    -- People may be notified at once: the alerts must survive a crash of the server, with their numbers.
    perform set_config('synchronous_commit', 'on', true);
    if cardinality(changed.fired) > 0 then
        perform vitals.notify_alerts(changed.fired, 'fired');
    end if;
    -- Reopened within the cool-down: nobody is notified at once, but escalations and repeats begin anew.
    reopened := array(
        select c.alert_id
        from alert_action c
        where c.alert_id = any (changed.changed) and c.action = 'reopened' and c.acted_at >= now() and c.alert_id <> all (changed.fired)
    );
    if cardinality(reopened) > 0 then
        perform vitals.begin_notification_steps(reopened, reopened, 'fired', clock_timestamp());
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
