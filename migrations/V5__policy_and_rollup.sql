-- How long things live and how often they are refreshed (policy), and what the rollups know about themselves.

create table policy (
    relation      text     not null,
    keep_for      interval,
    refresh_every interval,
    refresh_lag   interval,
    constraint policy_pkey primary key (relation),
    constraint policy_keep_for_check check (keep_for > interval '0'),
    constraint policy_refresh_every_check check (refresh_every > interval '0'),
    constraint policy_refresh_lag_check check (refresh_lag >= interval '0')
);

comment on table policy is 'One row per relation a DBA has a say in.';
comment on column policy.relation      is 'health_data or a rollup.';
comment on column policy.keep_for      is 'Age at which rows may be dropped; uploads older than health_data''s are rejected, and no refresh reaches behind it. NULL: kept for ever.';
comment on column policy.refresh_every is 'How often the rollup is brought up to date. NULL: not a rollup.';
comment on column policy.refresh_lag   is 'How far behind now materialisation stays; what is younger is computed when read. NULL: not a rollup.';

insert into policy (relation, keep_for, refresh_every, refresh_lag) values
    ('health_data',    interval '3 years', null, null),
    ('health_15m',     null, interval '20 seconds', interval '30 minutes'),
    ('health_hourly',  null, interval '20 seconds', interval '30 minutes'),
    ('health_daily',   null, interval '20 seconds', interval '30 minutes'),
    ('health_weekly',  null, interval '20 seconds', interval '30 minutes'),
    ('health_monthly', null, interval '20 seconds', interval '30 minutes');
