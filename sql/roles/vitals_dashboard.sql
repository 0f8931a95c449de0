-- vitals_dashboard: reads schema dashboard and nothing else: rollups, people, devices, samples, alerts, events, nights. It may read no
-- table, and no view that is not limited to tenants. The tenants of a role are in vitals.dashboard_tenant:
--
--   create role clinic_board login password '…' in role vitals_dashboard;
--   insert into vitals.dashboard_tenant values ('clinic_board', 1939964806110937090);              -- this tenant
--   insert into vitals.dashboard_tenant (role_name, all_tenants) values ('clinic_board', true);    -- or every tenant
--   alter role clinic_board set search_path = dashboard;                                           -- so that names need no schema
--
-- A role without a binding sees nothing.
-- Parameters: none. Applied in one transaction, as the owner of the tables: by `vitals roles`, and by `vitals migrate` if the role was
-- applied before. Rights that somebody granted in addition are revoked. Locks: the catalogue, for a moment.

do $$
begin
    if not exists (select from pg_roles where rolname = 'vitals_dashboard') then
        create role vitals_dashboard nologin;
        comment on role vitals_dashboard is 'vitals: reads what dashboards show, of the tenants in vitals.dashboard_tenant';
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    execute format('grant connect on database %I to vitals_dashboard', current_database());
end
$$;
revoke all on all tables in schema public, vitals, dashboard from vitals_dashboard;
grant usage on schema dashboard to vitals_dashboard;
grant select on all tables in schema dashboard to vitals_dashboard;
