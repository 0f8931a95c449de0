-- vitals_service: the rights that `vitals serve` needs, and no more. It may add health data and fill NULLs in it, maintain rollups and
-- alerts, and send notifications. It creates no tables, deletes no samples, and changes neither the directory nor the policies.
-- Grant it to the login of the service: create role clinic_service login password '…' in role vitals_service;
-- Parameters: none. Applied in one transaction, as the owner of the tables: by `vitals roles`, and by `vitals migrate` if the role was
-- applied before. Rights that somebody granted in addition are revoked. Locks: the catalogue, for a moment.

do $$
begin
    if not exists (select from pg_roles where rolname = 'vitals_service') then
        create role vitals_service nologin;
        comment on role vitals_service is 'vitals: what the running service needs';
    end if;
exception
    -- Roles belong to the whole server; a migrate of another database has just created it.
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    -- Temporary tables: likely duplicates go through one.
    execute format('grant connect, temporary on database %I to vitals_service', current_database());
end
$$;
revoke all on all tables in schema public, vitals, dashboard from vitals_service;
grant usage on schema public, vitals to vitals_service;

-- Data that devices send.
grant select, insert, update on health_data, device, device_info, device_event, sleep_segment, exercise_day, workout
    to vitals_service;
grant select, insert on health_document, rejected_upload, watch_log, vitals.ingest_batch to vitals_service;
grant select, insert, update, delete on unknown_name to vitals_service;
grant select on unknown_event_type to vitals_service;
grant select, insert, update on vitals.reception_period to vitals_service;
-- Its heartbeat.
grant select, insert, update, delete on vitals.instance to vitals_service;
-- Rejects: a repeated one updates its row.
grant update (times, last_received_at, batch_id, detail) on rejected_upload to vitals_service;
-- What was erased does not come back from the buffer.
grant select on vitals.erased_span to vitals_service;
grant select, insert, update, delete on outbox to vitals_service;
grant select, update on vitals.latest_view to vitals_service;

-- Reference data that it reads.
grant select on event_type, workout_type, customer, org_unit, app_user, device_binding, vitals.directory, device_config,
    device_config_metric, device_config_interface, policy, refinery_schema_history, vitals.schema_state, vitals.schema_object,
    vitals.device_period, vitals.cell, vitals.cell_url, vitals.placement to vitals_service;
grant select on sleep_night, sleep_week, exercise_week, workout_named to vitals_service;

-- Keys. It adds no row to `api_key` and cannot undo a revocation. It derives device keys, but revokes and readmits no device.
grant select, update (last_used_at) on api_key to vitals_service;
grant select on vitals.device_key_secret, vitals.accepted_device_key_secret, device_key_revocation to vitals_service;

-- People who log in. It opens and ends sessions, hashes a password again with newer parameters, and makes accounts and grants for those
-- whom an OIDC provider vouches for. It sets no other password, disables and enables no account, and makes no kiosk link.
grant select, insert, update (name, language, logged_in_at) on account to vitals_service;
grant select, insert, delete on account_grant to vitals_service;
grant select, update (password_hash) on vitals.account_password to vitals_service;
grant select, insert, update, delete on vitals.account_session to vitals_service;
grant select, update (last_used_at) on vitals.kiosk_link to vitals_service;
-- It adds to the log of who looked at whose data, and cannot read or change it.
grant insert on access_log to vitals_service;

-- Alerts and notifications.
grant select, insert, update on alert, notification, vitals.notification_target to vitals_service;
grant select, insert on alert_action, alert_rule_version to vitals_service;
grant select, insert, update, delete on alert_rule, alert_silence, vitals.alert_change, vitals.outbox_device,
    vitals.notification_step, shift to vitals_service;
grant select, delete on alert_rule_text to vitals_service;
grant select on contact, contact_address, org_manager to vitals_service;
grant select, insert, update, delete on notification_route to vitals_service;

-- The rollups: it reads and refreshes them. Only the owner can move the watermark of a continuous aggregate; the job of TimescaleDB does.
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

-- What people and programs read over HTTP: schema dashboard, restricted in each transaction to the tenant and the unit of the caller.
grant usage on schema dashboard to vitals_service;
grant select on all tables in schema dashboard to vitals_service;
insert into vitals.dashboard_tenant (role_name, all_tenants) values ('vitals_service', true) on conflict do nothing;

-- The functions that enforce policy. They do what policy says and nothing else.
grant select on vitals.policy_run, vitals.policy_change to vitals_service;
grant execute on function vitals.drop_oldest_chunk(text), vitals.delete_old_rows(text, integer),
    vitals.delete_excess_rejects(), vitals.compress_oldest_chunk(text), vitals.record_policy_run(text, bigint, bigint, bigint, text) to vitals_service;
-- The state of the jobs of TimescaleDB (Community edition).
grant execute on function vitals.watched_jobs() to vitals_service;
