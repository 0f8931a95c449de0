-- vitals_administration: what administrators change on the pages and over HTTP besides alerts, rules, routes and shifts: addresses of contacts, policies,
-- API keys, accounts with their passwords and grants, and kiosk links. For the login of a service in addition to vitals_service, where that is
-- wanted: create role clinic_service login password '…' in role vitals_service, vitals_administration;
-- Without it these changes are refused over HTTP, and are made by the command line as another role.
-- Parameters: none. Applied in one transaction, as the owner of the tables: by `vitals roles`, and by `vitals migrate` if the role was
-- applied before. Rights that somebody granted in addition are revoked. Locks: the catalogue, for a moment.

do $$
begin
    if not exists (select from pg_roles where rolname = 'vitals_administration') then
        create role vitals_administration nologin;
        comment on role vitals_administration is 'vitals: what administrators change over HTTP';
    end if;
exception
    -- Roles belong to the whole server; a migrate of another database has just created it.
    when duplicate_object or unique_violation then null;
end
$$;

revoke all on all tables in schema public, vitals, dashboard from vitals_administration;
grant usage on schema public, vitals to vitals_administration;

grant select, insert, update, delete on contact_address to vitals_administration;
grant select, update on policy to vitals_administration;
-- Accounts and keys are never deleted.
grant select, insert, update on account, vitals.account_password, api_key, vitals.kiosk_link to vitals_administration;
grant select, insert, update, delete on account_grant, vitals.account_session to vitals_administration;
