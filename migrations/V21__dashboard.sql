-- What dashboards read: schema dashboard, and which tenants a role may see in it.
-- The views are made by sql/functions/dashboard_views.sql after every migrate; who may read them is in sql/roles.
-- Locks: none that matter, everything is new.

create schema dashboard;
comment on schema dashboard is 'What dashboards read: the rollups and views for people, limited to the tenants of whoever asks (vitals.dashboard_tenant).';

-- By number, not by name: a role that is renamed stays bound.
create table vitals.dashboard_tenant (
    role_name   regrole not null,
    customer_id bigint  not null,
    constraint dashboard_tenant_pkey primary key (role_name, customer_id),
    constraint dashboard_tenant_customer_id_check check (customer_id > 0)
);

comment on table vitals.dashboard_tenant is 'Which tenants a role sees in schema dashboard, and all roles that are members of it. A role that is bound nowhere sees every tenant.';
comment on column vitals.dashboard_tenant.role_name   is 'The role, as its name or as a quoted identifier.';
comment on column vitals.dashboard_tenant.customer_id is 'Tenant it sees. Several rows: all of them.';

-- Who may not refresh the rollups himself, since that takes their owner, asks here.
create table vitals.refresh_request (
    refresh_request_id bigint generated always as identity,
    from_ts            timestamptz not null,
    to_ts              timestamptz not null,
    requested_at       timestamptz not null default now(),
    requested_by       text        not null default session_user,
    constraint refresh_request_pkey primary key (refresh_request_id),
    constraint refresh_request_range_check check (from_ts < to_ts)
);

comment on table vitals.refresh_request is 'Ranges of the rollups that are to be computed anew by the next refresh, which deletes the row when it is done.';
comment on column vitals.refresh_request.refresh_request_id is 'Number of the request.';
comment on column vitals.refresh_request.from_ts            is 'Start of the range.';
comment on column vitals.refresh_request.to_ts              is 'End of the range, exclusive.';
comment on column vitals.refresh_request.requested_at       is 'When it was asked for.';
comment on column vitals.refresh_request.requested_by       is 'By which role.';

-- As device_owner_at has it: a binding ends at its end, and at the latest when the next begins; the first holds before it
-- began too.
create view vitals.device_period as
select b.device_sn, b.user_id, u.org_id, coalesce(o.customer_id, 0) as customer_id, b.period
from (
    select
        device_sn, user_id,
        tstzrange(
            case when lag(valid_from) over each_device is not null then valid_from end,
            least(valid_until, lead(valid_from) over each_device)
        ) as period
    from device_binding
    window each_device as (partition by device_sn order by valid_from)
) as b
left join app_user as u using (user_id)
left join org_unit as o using (org_id)
union all
select d.device_sn, d.user_id, d.org_id, coalesce(d.customer_id, 0), tstzrange(null, null)
from device as d
where not exists (select from device_binding as b where b.device_sn = d.device_sn);

comment on view vitals.device_period is 'Whose a device was when, one row per binding; a device that was never bound is whose it says it is.';
comment on column vitals.device_period.device_sn   is 'Serial number of the device.';
comment on column vitals.device_period.user_id     is 'Wearer. NULL: not known.';
comment on column vitals.device_period.org_id      is 'Organisation unit the wearer sits in today. NULL: not known.';
comment on column vitals.device_period.customer_id is 'Tenant of the unit. 0: not known.';
comment on column vitals.device_period.period      is 'From when to when, exclusive.';
