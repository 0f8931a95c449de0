-- vitals_grafana: the role Grafana logs in as, a member of vitals_dashboard. It is bound to all tenants, unless it is bound
-- to some already; to limit it:
--   update vitals.dashboard_tenant set all_tenants = false, customer_id = <tenant> where role_name = 'vitals_grafana'::regrole;
-- Parameters: password (psql variable). Idempotent; a new password replaces the old one. Locks: the role.
select 'create role vitals_grafana login in role vitals_dashboard'
where not exists (select from pg_roles where rolname = 'vitals_grafana')
\gexec
select format('alter role vitals_grafana password %L', :'password')
\gexec
-- A panel that takes longer than this helps nobody.
alter role vitals_grafana set statement_timeout = '30s';
insert into vitals.dashboard_tenant (role_name, all_tenants)
select 'vitals_grafana', true
where not exists (select from vitals.dashboard_tenant where role_name = 'vitals_grafana'::regrole);
