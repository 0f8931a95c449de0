-- vitals_grafana: the role Grafana logs in as, a member of vitals_dashboard. It sees every tenant; to limit it:
--   insert into vitals.dashboard_tenant values ('vitals_grafana', <tenant>);
-- Parameters: password (psql variable). Idempotent; a new password replaces the old one. Locks: the role.
select 'create role vitals_grafana login in role vitals_dashboard'
where not exists (select from pg_roles where rolname = 'vitals_grafana')
\gexec
select format('alter role vitals_grafana password %L', :'password')
\gexec
-- A panel that takes longer than this helps nobody.
alter role vitals_grafana set statement_timeout = '30s';
