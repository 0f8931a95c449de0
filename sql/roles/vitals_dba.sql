-- vitals_dba: reads everything, changes policies, requests refreshes, binds dashboards to tenants, and revokes keys, accounts, sessions and
-- kiosk links. It changes no health data, no alerts and no accounting.
-- Only the owner of the rollups may refresh them. request_refresh(from, to) asks the next refresh for a range; it starts at most
-- policy.refresh_every later. Known changes are refreshed without a request.
-- Parameters: none. Applied in one transaction, as the owner of the tables: by `vitals roles`, and by `vitals migrate` if the role was
-- applied before. Rights that somebody granted in addition are revoked. Locks: the catalogue, for a moment.

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
grant update on vitals.cell to vitals_dba;
grant insert, update, delete on vitals.cell_url, vitals.placement to vitals_dba;
-- In an emergency: update api_key set revoked_at = now() where name = …
grant update (revoked_at) on api_key to vitals_dba;
-- The same for device keys. The secrets are excluded, because everybody who reads one can derive the key of any device.
grant insert (device_sn, customer_id, revoked_by), update (readmitted_at) on device_key_revocation to vitals_dba;
revoke select on vitals.device_key_secret, vitals.accepted_device_key_secret from vitals_dba;
-- In an emergency: update account set disabled_at = now() where login = … ends the sessions of the account too. Hashes of passwords are
-- excluded: they could be tried elsewhere.
grant update (disabled_at) on account to vitals_dba;
grant delete on account_grant, vitals.account_session to vitals_dba;
grant update (revoked_at) on vitals.kiosk_link to vitals_dba;
revoke select on vitals.account_password from vitals_dba;
grant execute on function request_refresh(timestamptz, timestamptz), vitals.drop_oldest_chunk(text),
    vitals.delete_old_rows(text, integer), vitals.delete_excess_rejects(), vitals.compress_oldest_chunk(text),
    vitals.record_policy_run(text, bigint, bigint, bigint, text), vitals.watched_jobs() to vitals_dba;
