-- Alerts: the rules, what they found, and what people did about it.
-- Judging is sql/functions/evaluate_alerts.sql; who is told is V16.
-- Locks: vitals.finish_batches is dropped, to come back with another result; nobody else is locked.

create table alert_rule (
    rule_id            bigint generated always as identity,
    name               text     not null,
    kind               text     not null,
    enabled            boolean  not null default true,
    customer_id        bigint,
    replaces_rule_id   bigint,
    severity           text     not null,
    metric             text,
    min_value          numeric,
    max_value          numeric,
    recovery_min_value numeric,
    recovery_max_value numeric,
    combine            text,
    conditions         jsonb,
    event_type         text collate "C",
    event_values       text[],
    recovery_values    text[],
    silent_seconds     integer,
    consecutive        integer  not null default 1,
    window_seconds     integer  not null default 600,
    cooldown_seconds   integer  not null default 300,
    recovery_count     integer  not null default 3,
    expire_seconds     integer,
    late_after_seconds integer  not null default 900,
    effective_from     time,
    effective_until    time,
    effective_days     smallint[],
    time_zone          text,
    message            text     not null default '{device_sn}: {rule}, {value}',
    version            integer  not null default 1,
    changed_at         timestamptz not null default now(),
    changed_by         text     not null default current_user,
    constraint alert_rule_pkey primary key (rule_id),
    constraint alert_rule_name_check check (name ~ '\S' and char_length(name) <= 200),
    constraint alert_rule_kind_check check (kind in ('threshold', 'composite', 'event', 'silence')),
    constraint alert_rule_severity_check check (severity in ('critical', 'major', 'minor', 'info')),
    constraint alert_rule_customer_id_check check (customer_id > 0),
    constraint alert_rule_replaces_rule_id_fkey foreign key (replaces_rule_id) references alert_rule (rule_id) on delete cascade,
    constraint alert_rule_metric_check check (
        metric in ('heart_rate', 'blood_oxygen', 'temperature', 'pressure_high', 'pressure_low', 'stress')
    ),
    constraint alert_rule_combine_check check (combine in ('all', 'any')),
    constraint alert_rule_consecutive_check check (consecutive between 1 and 100),
    constraint alert_rule_window_seconds_check check (window_seconds between 1 and 86400),
    constraint alert_rule_cooldown_seconds_check check (cooldown_seconds between 0 and 604800),
    constraint alert_rule_recovery_count_check check (recovery_count between 1 and 100),
    constraint alert_rule_expire_seconds_check check (expire_seconds between 1 and 31536000),
    constraint alert_rule_late_after_seconds_check check (late_after_seconds between 0 and 31536000),
    constraint alert_rule_silent_seconds_check check (silent_seconds between 60 and 31536000)
);
create unique index alert_rule_replaces_key on alert_rule (replaces_rule_id, customer_id) where replaces_rule_id is not null;

comment on table alert_rule is 'What raises an alert. A change holds from the next batch on, in every instance; an impossible rule is refused with the reason.';
comment on column alert_rule.rule_id            is 'Number of the rule.';
comment on column alert_rule.name               is 'What people call it.';
comment on column alert_rule.kind               is 'threshold: a vital sign outside its bounds; composite: several conditions; event: a device told of an event; silence: a device has not been heard of.';
comment on column alert_rule.enabled            is 'False: judges nothing, and its open alerts were resolved when it was switched off.';
comment on column alert_rule.customer_id        is 'Tenant whose samples it judges. NULL: everybody''s.';
comment on column alert_rule.replaces_rule_id   is 'Rule for everybody that is not applied to this rule''s tenant, whether this one is enabled or not. NULL: none.';
comment on column alert_rule.severity           is 'critical, major, minor or info.';
comment on column alert_rule.metric             is 'Vital sign, a column of health_data. NULL: kind is not threshold.';
comment on column alert_rule.min_value          is 'A reading below it breaches, in the unit of the metric; the bound itself does not. NULL: no lower bound.';
comment on column alert_rule.max_value          is 'A reading above it breaches; the bound itself does not. NULL: no upper bound.';
comment on column alert_rule.recovery_min_value is 'A reading counts as recovered from here on. NULL: from min_value on.';
comment on column alert_rule.recovery_max_value is 'A reading counts as recovered up to here. NULL: up to max_value.';
comment on column alert_rule.combine            is 'all or any of the conditions. NULL: kind is not composite.';
comment on column alert_rule.conditions         is 'Array of {metric, min, max, duration_seconds}: the newest reading of the metric, not older than window_seconds, breaches, and has done so for that long. NULL: kind is not composite.';
comment on column alert_rule.event_type         is 'Short type, upper case, as in device_event. NULL: kind is not event.';
comment on column alert_rule.event_values       is 'Values of the event that raise the alert. NULL: any.';
comment on column alert_rule.recovery_values    is 'Values of the event that resolve it. NULL: none.';
comment on column alert_rule.silent_seconds     is 'Time without a sample after which the device counts as silent, seconds. NULL: kind is not silence.';
comment on column alert_rule.consecutive        is 'Readings in a row that have to breach.';
comment on column alert_rule.window_seconds     is 'Time within which they have to lie, seconds.';
comment on column alert_rule.cooldown_seconds   is 'A breach this soon after the end of an alert opens that alert again instead of a new one, and tells nobody; after a person resolved it, it is not judged at all. Seconds.';
comment on column alert_rule.recovery_count     is 'Readings in a row, within a day, that have to be recovered for the alert to resolve by itself.';
comment on column alert_rule.expire_seconds     is 'Resolves by itself when nothing breached for so long, seconds. NULL: never.';
comment on column alert_rule.late_after_seconds is 'A breach received this much later than it happened is late: an alert of late breaches only is historical and tells nobody. Seconds.';
comment on column alert_rule.effective_from     is 'Breaches count from this local time on. NULL: the whole day.';
comment on column alert_rule.effective_until    is 'Breaches count until this local time, exclusive; before effective_from: of the next day. NULL with effective_from.';
comment on column alert_rule.effective_days     is 'Days on which breaches count, 1 Monday to 7 Sunday; after midnight it is still the day on which the hours began. NULL: every day.';
comment on column alert_rule.time_zone          is 'Zone of the effective hours and of times in messages (IANA name). NULL: that of the rollups.';
comment on column alert_rule.message            is 'What people are told, with {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer}.';
comment on column alert_rule.version            is 'Raised by every change; what it was before is in alert_rule_version.';
comment on column alert_rule.changed_at         is 'When it was last changed.';
comment on column alert_rule.changed_by         is 'Who changed it: the setting vitals.actor of the session, else its role.';

create table alert_rule_version (
    rule_id    bigint      not null,
    version    integer     not null,
    changed_at timestamptz not null,
    changed_by text        not null,
    rule       jsonb       not null,
    constraint alert_rule_version_pkey primary key (rule_id, version)
);
comment on table alert_rule_version is 'Every version a rule ever had, the present one too.';
comment on column alert_rule_version.rule_id    is 'The rule; it may be deleted.';
comment on column alert_rule_version.version    is 'Its version.';
comment on column alert_rule_version.changed_at is 'Since when it was so.';
comment on column alert_rule_version.changed_by is 'Who made it so.';
comment on column alert_rule_version.rule       is 'The whole row of alert_rule.';

create table alert (
    alert_id        bigint generated always as identity,
    device_sn       text collate "C" not null,
    rule_id         bigint      not null,
    rule_version    integer     not null,
    kind            text        not null,
    severity        text        not null,
    metric          text,
    event_type      text collate "C",
    customer_id     bigint,
    org_id          bigint,
    user_id         bigint,
    status          text        not null default 'firing',
    historical      boolean     not null default false,
    started_ts      timestamptz not null,
    fired_ts        timestamptz not null,
    last_ts         timestamptz not null,
    ended_ts        timestamptz,
    judged_ts       timestamptz not null,
    breach_count    integer     not null default 1,
    last_value      numeric,
    peak_value      numeric,
    last_text       text,
    latitude        double precision,
    longitude       double precision,
    altitude        double precision,
    message         text        not null,
    fired_at        timestamptz not null default clock_timestamp(),
    updated_at      timestamptz not null default clock_timestamp(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at     timestamptz,
    resolved_by     text,
    resolution      text,
    muted_until     timestamptz,
    constraint alert_pkey primary key (alert_id),
    constraint alert_rule_id_fkey foreign key (rule_id) references alert_rule (rule_id),
    constraint alert_status_check check (status in ('firing', 'acknowledged', 'resolved')),
    constraint alert_severity_check check (severity in ('critical', 'major', 'minor', 'info')),
    constraint alert_times_check check (started_ts <= fired_ts and fired_ts <= last_ts and last_ts <= judged_ts),
    constraint alert_resolution_check check (resolution in ('recovered', 'expired', 'manual', 'rule_disabled', 'retracted')),
    constraint alert_resolved_check check ((status = 'resolved') = (resolved_at is not null) and (resolved_at is null) = (resolution is null)),
    constraint alert_muted_until_check check ((resolution is not distinct from 'manual') = (muted_until is not null))
);
-- The database's word that a device has one open alert per rule at most.
create unique index alert_open_key on alert (device_sn, rule_id) where status <> 'resolved';
create index alert_device_fired_idx on alert (device_sn, fired_ts desc);
create index alert_pair_idx on alert (device_sn, rule_id, started_ts desc);
create index alert_fired_idx on alert (fired_ts desc, alert_id desc);
create index alert_customer_fired_idx on alert (customer_id, fired_ts desc);
-- The alerts near some samples: open ones, and those that ended behind them.
create index alert_device_ended_idx on alert (device_sn, (coalesce(ended_ts, 'infinity'::timestamptz)));
create index alert_expiring_idx on alert (last_ts) where status <> 'resolved';

comment on table alert is 'One row per alert. At most one is open (firing or acknowledged) per device and rule: more breaches update it.';
comment on column alert.alert_id        is 'Number of the alert.';
comment on column alert.device_sn       is 'Serial number of the device.';
comment on column alert.rule_id         is 'The rule that raised it.';
comment on column alert.rule_version    is 'Version of the rule at that time; see alert_rule_version.';
comment on column alert.kind            is 'Kind of the rule: threshold, composite, event, silence.';
comment on column alert.severity        is 'critical, major, minor or info, as the rule said then.';
comment on column alert.metric          is 'Vital sign judged. NULL: kind is not threshold.';
comment on column alert.event_type      is 'Type of the event. NULL: kind is not event.';
comment on column alert.customer_id     is 'Tenant, as the breaching row has it. NULL: not known.';
comment on column alert.org_id          is 'Organisation unit. NULL: not known.';
comment on column alert.user_id         is 'Wearer. NULL: not known.';
comment on column alert.status          is 'firing, acknowledged (a person has taken it on) or resolved.';
comment on column alert.historical      is 'All its breaches came late (see alert_rule.late_after_seconds): nobody was told.';
comment on column alert.started_ts      is 'Event time of the first of the readings in a row that raised it.';
comment on column alert.fired_ts        is 'Event time of the reading that raised it.';
comment on column alert.last_ts         is 'Event time of the newest breach in it.';
comment on column alert.ended_ts        is 'Event time at which the device had recovered, or the alert expired. NULL: not so far.';
comment on column alert.judged_ts       is 'Event time of the newest reading that was judged for it.';
comment on column alert.breach_count    is 'Readings (events) that breached.';
comment on column alert.last_value      is 'Newest breaching reading, in the unit of the metric. NULL: kind is not threshold.';
comment on column alert.peak_value      is 'Breaching reading farthest from the bounds. NULL: kind is not threshold.';
comment on column alert.last_text       is 'Value of the newest event. NULL: kind is not event, or it had none.';
comment on column alert.latitude        is 'Where the device was when it fired, degrees north. NULL: not known.';
comment on column alert.longitude       is 'Degrees east. NULL: not known.';
comment on column alert.altitude        is 'Metres. NULL: not known.';
comment on column alert.message         is 'What people were told when it fired.';
comment on column alert.fired_at        is 'When the service raised it.';
comment on column alert.updated_at      is 'When anything of it last changed.';
comment on column alert.acknowledged_at is 'When a person took it on. NULL: nobody has.';
comment on column alert.acknowledged_by is 'Who did. NULL: nobody has.';
comment on column alert.resolved_at     is 'When it was resolved. NULL: it is open.';
comment on column alert.resolved_by     is 'Who resolved it. NULL: it is open, or resolved by itself.';
comment on column alert.resolution      is 'recovered, expired, manual (a person), rule_disabled, or retracted (readings that came late show that it never was). NULL: open.';
comment on column alert.muted_until     is 'Until when breaches of the device are not judged by the rule after a person resolved it. NULL: no person did.';

create table alert_action (
    alert_action_id bigint generated always as identity,
    alert_id        bigint      not null,
    acted_at        timestamptz not null default clock_timestamp(),
    action          text        not null,
    actor           text,
    note            text,
    constraint alert_action_pkey primary key (alert_action_id),
    constraint alert_action_alert_id_fkey foreign key (alert_id) references alert (alert_id) on delete cascade,
    constraint alert_action_action_check check (
        action in ('fired', 'reopened', 'acknowledged', 'resolved', 'retracted', 'silenced', 'escalated', 'noted')
    )
);
create index alert_action_alert_id_idx on alert_action (alert_id, alert_action_id);

comment on table alert_action is 'What happened to alerts, and who did it.';
comment on column alert_action.alert_action_id is 'Number of the entry; later entries have larger ones.';
comment on column alert_action.alert_id        is 'The alert.';
comment on column alert_action.acted_at        is 'When.';
comment on column alert_action.action          is 'fired, reopened, acknowledged, resolved, retracted, silenced (nobody was told because of a silence), escalated, noted.';
comment on column alert_action.actor           is 'Who. NULL: the service.';
comment on column alert_action.note            is 'What they said, or why. NULL: nothing.';

create table alert_silence (
    silence_id  bigint generated always as identity,
    customer_id bigint,
    org_id      bigint,
    device_sn   text collate "C",
    rule_id     bigint,
    starts_at   timestamptz not null default now(),
    ends_at     timestamptz not null,
    actor       text        not null,
    note        text,
    created_at  timestamptz not null default now(),
    constraint alert_silence_pkey primary key (silence_id),
    constraint alert_silence_rule_id_fkey foreign key (rule_id) references alert_rule (rule_id) on delete cascade,
    constraint alert_silence_span_check check (starts_at < ends_at),
    constraint alert_silence_scope_check check (num_nonnulls(customer_id, org_id, device_sn, rule_id) > 0)
);
create index alert_silence_ends_at_idx on alert_silence (ends_at);

comment on table alert_silence is 'While one is in force, alerts that match all it names are raised and kept, but nobody is told.';
comment on column alert_silence.silence_id  is 'Number of the silence.';
comment on column alert_silence.customer_id is 'Tenant. NULL: any.';
comment on column alert_silence.org_id      is 'Organisation unit, its sub-units too. NULL: any.';
comment on column alert_silence.device_sn   is 'Device. NULL: any.';
comment on column alert_silence.rule_id     is 'Rule. NULL: any.';
comment on column alert_silence.starts_at   is 'Since when.';
comment on column alert_silence.ends_at     is 'Until when, exclusive. Ending one early is an update of this.';
comment on column alert_silence.actor       is 'Who asked for it.';
comment on column alert_silence.note        is 'Why. NULL: not said.';
comment on column alert_silence.created_at  is 'When it was asked for.';

-- Checks that need more than the row, or have more to say than a constraint's name.
create function vitals.alert_rule_check() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    refusal text;
begin
    refusal := vitals.alert_rule_refusal(new);
    if refusal is not null then
        raise exception 'rule "%": %', new.name, refusal using errcode = 'check_violation';
    end if;
    if tg_op = 'UPDATE' then
        if old.kind <> new.kind then
            raise exception 'rule "%": its kind cannot change, make another rule', new.name using errcode = 'check_violation';
        end if;
        if to_jsonb(old) - '{version,changed_at,changed_by}'::text[] = to_jsonb(new) - '{version,changed_at,changed_by}'::text[] then
            return old;
        end if;
        new.version := old.version + 1;
    else
        new.version := 1;
    end if;
    new.changed_at := now();
    new.changed_by := coalesce(nullif(current_setting('vitals.actor', true), ''), current_user);
    return new;
end
$$;
comment on function vitals.alert_rule_check() is 'Row trigger: refuses an impossible rule with the reason, numbers its versions.';

create function vitals.alert_rule_refusal(rule alert_rule) returns text
language sql stable
as $$ select null::text $$;

create function vitals.alert_rule_changed() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into alert_rule_version (rule_id, version, changed_at, changed_by, rule)
    values (new.rule_id, new.version, new.changed_at, new.changed_by, to_jsonb(new))
    on conflict do nothing;
    if tg_op = 'UPDATE' and old.enabled and not new.enabled then
        perform vitals.resolve_alerts_of_rule(new.rule_id);
    end if;
    return null;
end
$$;
comment on function vitals.alert_rule_changed() is 'Row trigger: keeps every version; a rule that is switched off leaves no alert open.';

create trigger alert_rule_check
    before insert or update on alert_rule
    for each row execute function vitals.alert_rule_check();
create trigger alert_rule_changed
    after insert or update on alert_rule
    for each row execute function vitals.alert_rule_changed();

-- An alarm that a person gave is never too late to be heard of within a day, never resolves by itself, and has no cool-down.
insert into alert_rule (name, kind, severity, metric, min_value, max_value, message) values
    ('Heart rate out of range',        'threshold', 'minor',    'heart_rate',   50,   120,  '{device_sn}: heart rate {value}/min (normal {min} to {max}) at {time}'),
    ('Heart rate far out of range',    'threshold', 'major',    'heart_rate',   40,   140,  '{device_sn}: heart rate {value}/min (limits {min} and {max}) at {time}'),
    ('Oxygen saturation low',          'threshold', 'major',    'blood_oxygen', 90,   null, '{device_sn}: oxygen saturation {value} % (below {min} %) at {time}'),
    ('Oxygen saturation very low',     'threshold', 'critical', 'blood_oxygen', 85,   null, '{device_sn}: oxygen saturation {value} % (below {min} %) at {time}'),
    ('Body temperature out of range',  'threshold', 'minor',    'temperature',  35.0, 37.5, '{device_sn}: body temperature {value} °C (normal {min} to {max} °C) at {time}');
insert into alert_rule
    (name, kind, severity, event_type, event_values, recovery_values, cooldown_seconds, recovery_count, expire_seconds, late_after_seconds, message)
values
    ('SOS',                       'event', 'critical', 'SOS_EVENT',              null,  null,  0,   1, null, 86400, '{device_sn}: SOS at {time}'),
    ('One-key alarm',             'event', 'critical', 'ONE_KEY_ALARM',          null,  null,  0,   1, null, 86400, '{device_sn}: alarm key pressed at {time}'),
    ('Fall',                      'event', 'critical', 'FALLDOWN_EVENT',         null,  null,  0,   1, null, 86400, '{device_sn}: fall detected at {time}'),
    ('Watch taken off',           'event', 'major',    'WEAR_STATUS_CHANGED',    '{0}', '{1}', 0,   1, null, 900,   '{device_sn}: watch taken off at {time}'),
    ('Watch says: heart rate high',      'event', 'major', 'HEARTRATE_HIGH_ALERT',   null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a high heart rate ({value}) at {time}'),
    ('Watch says: heart rate low',       'event', 'major', 'HEARTRATE_LOW_ALERT',    null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a low heart rate ({value}) at {time}'),
    ('Watch says: oxygen saturation low', 'event', 'major', 'SPO2_LOW_ALERT',        null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a low oxygen saturation ({value}) at {time}'),
    ('Watch says: stress high',          'event', 'major', 'STRESS_HIGH_ALERT',      null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of high stress ({value}) at {time}'),
    ('Watch says: temperature high',     'event', 'major', 'TEMPERATURE_HIGH_ALERT', null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a high body temperature ({value}) at {time}'),
    ('Watch says: temperature low',      'event', 'major', 'TEMPERATURE_LOW_ALERT',  null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a low body temperature ({value}) at {time}'),
    ('Watch says: pressure high',        'event', 'major', 'PRESSURE_HIGH_ALERT',    null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a high blood pressure ({value}) at {time}'),
    ('Watch says: pressure low',         'event', 'major', 'PRESSURE_LOW_ALERT',     null, null, 300, 1, 3600, 900, '{device_sn}: the watch warns of a low blood pressure ({value}) at {time}'),
    ('Call',                      'event', 'minor',    'CALL_STATE',             null,  null,  0,   1, 3600, 900,   '{device_sn}: call at {time}'),
    ('Watch restarted',           'event', 'minor',    'BOOT_COMPLETED',         null,  null,  0,   1, 3600, 900,   '{device_sn}: watch restarted at {time}'),
    ('Settings changed',          'event', 'info',     'UI_SETTINGS_CHANGED',    null,  null,  0,   1, 3600, 900,   '{device_sn}: settings changed at {time}'),
    ('Double click',              'event', 'info',     'FUN_DOUBLE_CLICK',       null,  null,  0,   1, 3600, 900,   '{device_sn}: double click at {time}');

-- What judging passes from step to step. Arrays of one length: no temporary tables, which would bloat the catalogue.
create type vitals.alert_pairs as (
    rule_ids   bigint[],
    device_sns text[],
    first_ts   timestamptz[],
    last_ts    timestamptz[]
);
comment on type vitals.alert_pairs is 'Pairs of a rule and a device, with the time range of the rows that may have changed their alerts.';
create type vitals.alert_changes as (
    changed  bigint[],
    fired    bigint[],
    resolved bigint[]
);
comment on type vitals.alert_changes is 'Alerts that changed in any way; those of them that people hear of now; those of them that ended.';

create type vitals.derived_alert as (
    ord          integer,
    seq          integer,
    started_ts   timestamptz,
    fired_ts     timestamptz,
    last_ts      timestamptz,
    ended_ts     timestamptz,
    expired      boolean,
    judged_ts    timestamptz,
    breach_count integer,
    fired_value  text,
    last_value   numeric,
    peak_value   numeric,
    last_text    text,
    late         boolean,
    customer_id  bigint,
    org_id       bigint,
    user_id      bigint,
    latitude     double precision,
    longitude    double precision,
    altitude     double precision
);
comment on type vitals.derived_alert is 'What the stored rows say of an alert of a pair (ord); seq 0 is the one before the rows looked at.';

-- Comes back with what it raised; a function's result cannot be replaced.
drop function if exists vitals.finish_batches(uuid, bigint[], text[], timestamptz, timestamptz, boolean);
