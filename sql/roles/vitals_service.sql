-- vitals_service: what `vitals serve` needs, and no more. It may add health data and fill gaps in it, keep the rollups and
-- the alerts, and deliver. It makes no tables, deletes no sample, changes neither the directory nor the policy.
-- Give it to the role the service logs in as: create role clinic_service login password '…' in role vitals_service;
-- Parameters: none. Applied by `vitals roles`, and by `vitals migrate` where the role was applied before, in one transaction, as
-- the owner of the tables; what a role has been given besides is taken from it. Locks: the catalogue, for a moment.

do $$
begin
    if not exists (select from pg_roles where rolname = 'vitals_service') then
        create role vitals_service nologin;
        comment on role vitals_service is 'vitals: what the running service needs';
    end if;
exception
    -- Roles are shared by all databases of a server; another one was quicker.
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    -- Temporary tables: likely repeats go through one.
    execute format('grant connect, temporary on database %I to vitals_service', current_database());
end
$$;
revoke all on all tables in schema public, vitals, dashboard from vitals_service;
grant usage on schema public, vitals to vitals_service;

-- What devices send.
grant select, insert, update on health_data, device, device_info, device_event, sleep_segment, exercise_day, workout
    to vitals_service;
grant select, insert on health_document, rejected_upload, watch_log, vitals.ingest_batch to vitals_service;
grant select, insert, update, delete on unknown_name to vitals_service;
grant select on unknown_event_type to vitals_service;
-- What is refused once more.
grant update (times, last_received_at, batch_id, detail) on rejected_upload to vitals_service;
grant select, insert, update, delete on outbox to vitals_service;
grant select, update on vitals.latest_view to vitals_service;

-- What it goes by.
grant select on event_type, workout_type, customer, org_unit, app_user, device_binding, vitals.directory, device_config,
    device_config_metric, device_config_interface, policy, refinery_schema_history, vitals.schema_state, vitals.schema_object,
    vitals.device_period to vitals_service;
grant select on sleep_night, sleep_week, exercise_week, workout_named to vitals_service;

-- Who may ask it. It makes no key of `api_key` and brings none back; keys of devices it derives, and revokes and readmits none.
grant select, update (last_used_at) on api_key to vitals_service;
grant select on vitals.device_key_secret, device_key_revocation to vitals_service;

-- Alerts, and who is notified of them.
grant select, insert, update on alert, notification, vitals.notification_target to vitals_service;
grant select, insert on alert_action, alert_rule_version to vitals_service;
grant select, insert, update, delete on alert_rule, alert_silence, vitals.alert_change to vitals_service;
grant select, delete on alert_rule_text to vitals_service;
grant select on contact, contact_address, org_manager, notification_route to vitals_service;

-- The rollups: read, and refreshed; the watermark of a continuous aggregate is its owner's alone (the job of TimescaleDB moves it).
grant select on health_15m, health_hourly, health_daily, health_weekly, health_monthly to vitals_service;
grant select, update on vitals.rollup to vitals_service;
grant select, insert, delete on vitals.rollup_dirty to vitals_service;
grant select, insert, update on vitals.rollup_chunk to vitals_service;
grant select, delete on vitals.refresh_request to vitals_service;
do $$
declare
    each text;
begin
    for each in select name from vitals.rollup loop
        execute format('grant select, insert, update, delete on %s to vitals_service', vitals.rollup_table(each));
        if to_regclass(format('vitals.%I', each || '_decoded')) is not null then
            execute format('grant select on vitals.%I to vitals_service', each || '_decoded');
        end if;
    end loop;
end
$$;
grant execute on function vitals.publish_live_from() to vitals_service;

-- Policy is enforced by steps that do what it says and nothing else.
grant select on vitals.policy_run to vitals_service;
grant execute on function vitals.drop_oldest_chunk(text), vitals.delete_old_rows(text, integer),
    vitals.delete_excess_rejects(), vitals.compress_oldest_chunk(text), vitals.record_policy_run(text, bigint, bigint, bigint, text) to vitals_service;
-- How the jobs of TimescaleDB are that do so in the Community edition.
grant execute on function vitals.watched_jobs() to vitals_service;
