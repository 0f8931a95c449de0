-- Notifications until somebody has acknowledged the alert: repeats and escalation steps (vitals.notification_step), more kinds of
-- notifications with a sequence in their key, the person to whom an alert is assigned, and shifts.
-- Locks: notification, notification_route, alert and alert_action against readers and writers until commit. A new index on
-- notification is built (about 1 s for a million rows).

alter table notification drop constraint notification_kind_check;
alter table notification add constraint notification_kind_check
    check (kind in ('fired', 'raised', 'repeated', 'escalated', 'acknowledged', 'assigned', 'resolved'));
alter table notification add column sequence integer not null default 1;
alter table notification add constraint notification_sequence_check check (sequence > 0);
alter table notification drop constraint notification_once_key;
-- An address is notified of one thing once, however many routes lead to it.
alter table notification add constraint notification_once_key unique (alert_id, kind, sequence, channel, address);
alter table notification alter column route_id drop not null;

comment on column notification.kind is
    'fired (it fired, or a person raised the alarm once more); raised (its severity rose); escalated (nobody has acknowledged it: the next step); repeated (nobody has acknowledged it yet); acknowledged (who has it); assigned (to the contact); resolved.';
comment on column notification.sequence is
    'Tells apart notifications of one kind of an alert: 1 for the first, 2 for the second. Every address of one occasion has the same.';
comment on column notification.unless_taken is 'An escalation or a repeat: cancelled when the alert is no longer firing.';
comment on column notification.route_id is 'Route that led to the address; it may have been deleted. NULL: kind assigned, which follows no route.';

alter table notification_route drop constraint notification_route_audience_check;
alter table notification_route add constraint notification_route_audience_check
    check (audience in ('wearer', 'managers', 'contact', 'on_duty'));
alter table notification_route add column repeat_seconds integer;
alter table notification_route add column repeat_times integer not null default 100;
-- Routes from before stay as they are; who makes a new one is asked nothing, and is told who has the alert.
alter table notification_route add column on_acknowledged boolean not null default false;
alter table notification_route alter column on_acknowledged set default true;
alter table notification_route add constraint notification_route_repeat_seconds_check check (repeat_seconds between 30 and 86400);
alter table notification_route add constraint notification_route_repeat_times_check check (repeat_times between 1 and 10000);

comment on table notification_route is
    'Who is notified of which alerts. Every enabled route that matches an alert notifies its audience; one address is notified once of one occasion, even if several routes lead to it.';
comment on column notification_route.audience is
    'wearer; managers (of the wearer''s unit, else of the nearest unit above that has some with this channel); on_duty (by the shifts of the nearest unit upward that has any, when the message is due; nobody: the managers); contact.';
comment on column notification_route.repeat_seconds is
    'While the alert is firing and nobody has acknowledged it, the audience is notified once more each time so many seconds have passed. NULL: not repeated.';
comment on column notification_route.repeat_times is
    'Repeats at most; a rise in severity or a new SOS starts the count anew. Ignored without repeat_seconds.';
comment on column notification_route.on_acknowledged is
    'Whether those who were notified are told who has acknowledged the alert.';

create table vitals.notification_step (
    alert_id       bigint      not null,
    route_id       bigint      not null,
    round          integer     not null,
    repeats_before integer     not null,
    times          integer     not null default 0,
    due_at         timestamptz not null,
    constraint notification_step_pkey primary key (alert_id, route_id),
    constraint notification_step_alert_id_fkey foreign key (alert_id) references alert (alert_id) on delete cascade,
    constraint notification_step_route_id_fkey foreign key (route_id) references notification_route (route_id) on delete cascade
) with (autovacuum_vacuum_scale_factor = 0.02);
create index notification_step_due_at_idx on vitals.notification_step (due_at);

comment on table vitals.notification_step is
    'What is still to be notified of a firing alert by a route: the next step or repeat. Deleted in the transaction that acknowledges or resolves the alert.';
comment on column vitals.notification_step.alert_id       is 'The alert.';
comment on column vitals.notification_step.route_id       is 'The route.';
comment on column vitals.notification_step.round          is 'notification.sequence of its first notification (fired or escalated): each new SOS is a round.';
comment on column vitals.notification_step.repeats_before is 'Largest notification.sequence of a repeat of the alert before this round.';
comment on column vitals.notification_step.times          is 'How often the route has notified its audience in this round. 0: not yet.';
comment on column vitals.notification_step.due_at         is 'When it notifies next.';

alter table alert add column assigned_to bigint;
alter table alert add column assigned_at timestamptz;
alter table alert add column assigned_by text;
alter table alert add constraint alert_assigned_to_fkey foreign key (assigned_to) references contact (contact_id) on delete set null;
create index alert_assigned_to_idx on alert (assigned_to, fired_ts desc) where assigned_to is not null;

comment on column alert.assigned_to is 'Contact to whom the alert is assigned. NULL: to nobody.';
comment on column alert.assigned_at is 'When it was last assigned, or taken from somebody. NULL: never.';
comment on column alert.assigned_by is 'Who did so. NULL: never.';

alter table alert_action drop constraint alert_action_action_check;
alter table alert_action add constraint alert_action_action_check check (
    action in (
        'fired', 'raised', 'lowered', 'reopened', 'acknowledged', 'assigned', 'unassigned', 'resolved', 'retracted', 'silenced',
        'escalated', 'noted'
    )
);
comment on column alert_action.action is
    'fired (also: a person raised the alarm once more), raised and lowered (its severity), reopened, acknowledged, assigned, unassigned, resolved, retracted, silenced (not notified because of a silence), escalated, noted.';

alter function vitals.notification_route_check() rename to time_zone_check;

create table shift (
    shift_id    bigint generated always as identity,
    customer_id bigint,
    org_id      bigint,
    contact_id  bigint      not null,
    kind        text        not null default 'duty',
    starts_at   timestamptz not null default now(),
    ends_at     timestamptz,
    weekly_days smallint[],
    from_time   time,
    until_time  time,
    time_zone   text,
    note        text,
    constraint shift_pkey primary key (shift_id),
    constraint shift_org_id_fkey foreign key (org_id) references org_unit (org_id) on delete cascade,
    constraint shift_contact_id_fkey foreign key (contact_id) references contact (contact_id) on delete cascade,
    constraint shift_kind_check check (kind in ('duty', 'absence')),
    constraint shift_scope_check check (num_nonnulls(customer_id, org_id) = case kind when 'duty' then 1 else 0 end),
    constraint shift_period_check check (starts_at < ends_at),
    constraint shift_end_check check (ends_at is not null or kind = 'duty' and from_time is not null),
    constraint shift_hours_check check (
        (from_time is null) = (until_time is null) and from_time <> until_time and (kind = 'duty' or from_time is null)
    ),
    constraint shift_weekly_days_check check (
        weekly_days is null or from_time is not null and cardinality(weekly_days) between 1 and 7 and weekly_days <@ '{1,2,3,4,5,6,7}'
    )
);
create index shift_org_id_idx on shift (org_id);
create index shift_customer_id_idx on shift (customer_id);
create index shift_contact_id_idx on shift (contact_id);
create trigger shift_check
    before insert or update of time_zone on shift
    for each row execute function vitals.time_zone_check();

comment on table shift is
    'Who is on duty when: hours of the week that recur, or a single period. Routes with the audience on_duty notify the contacts on duty.';
comment on column shift.shift_id    is 'Number of the shift.';
comment on column shift.customer_id is 'Tenant for whose alerts the contact is on duty. NULL: for those of a unit, or an absence.';
comment on column shift.org_id      is 'Organisation unit for whose alerts the contact is on duty; sub-units without shifts of their own included. NULL: for those of a tenant, or an absence.';
comment on column shift.contact_id  is 'Who is on duty, or absent.';
comment on column shift.kind        is 'duty; absence (leave, illness: the contact is not on duty, whatever other rows say).';
comment on column shift.starts_at   is 'Start of the period, or of the weeks in which the hours recur.';
comment on column shift.ends_at     is 'End, exclusive. NULL: the hours recur until further notice.';
comment on column shift.weekly_days is 'Days of the week on which the hours begin, 1 Monday to 7 Sunday. NULL: every day, or a single period.';
comment on column shift.from_time   is 'Local time at which the hours begin. NULL: a single period.';
comment on column shift.until_time  is 'Local time at which they end, exclusive; before from_time: on the next day. NULL: a single period.';
comment on column shift.time_zone   is 'Zone of the hours (IANA name). NULL: that of the rollups.';
comment on column shift.note        is 'For people. NULL: none.';

-- They return more columns now; sql/functions makes them after this file.
drop function if exists vitals.alert_audience(bigint[]);
