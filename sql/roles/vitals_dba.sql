-- vitals_dba: reads everything, changes policies, asks for refreshes, binds dashboards to tenants, and ends keys. It changes no health
-- data, no alert and no account.
-- A refresh takes the owner of the rollups: request_refresh(from, to) asks the next one for a range, at most
-- policy.refresh_every later; what is known to have changed is refreshed anyway.
-- Parameters: none. Applied by `vitals roles`, and by `vitals migrate` where the role was applied before, in one transaction, as
-- the owner of the tables; what a role has been given besides is taken from it. Locks: the catalogue, for a moment.

do $$
begin
    if not exists (select from pg_roles where rolname = 'vitals_dba') then
        create role vitals_dba nologin;
        comment on role vitals_dba is 'vitals: reads everything, changes policies, asks for refreshes';
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    execute format('grant connect, temporary on database %I to vitals_dba', current_database());
end
$$;
revoke all on all tables in schema public, vitals, dashboard from vitals_dba;
grant usage on schema public, vitals, dashboard to vitals_dba;
grant select on all tables in schema public, vitals, dashboard to vitals_dba;
grant insert, update, delete on policy, vitals.dashboard_tenant to vitals_dba;
-- An emergency waits for nobody: update api_key set revoked_at = now() where name = …
grant update (revoked_at) on api_key to vitals_dba;
-- The same for keys of devices; but whoever reads their secret can make the key of any.
grant insert (device_sn, customer_id, revoked_by), update (readmitted_at) on device_key_revocation to vitals_dba;
revoke select on vitals.device_key_secret from vitals_dba;
grant execute on function request_refresh(timestamptz, timestamptz), vitals.drop_oldest_chunk(text),
    vitals.delete_old_rows(text, integer), vitals.delete_excess_rejects(), vitals.compress_oldest_chunk(text),
    vitals.record_policy_run(text, bigint, bigint, bigint, text), vitals.watched_jobs() to vitals_dba;
