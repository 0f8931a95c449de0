-- Who is told of alerts, by which channel, and what became of it; which alerts Redis is to show anew.
-- Rows are written in the transaction that changes the alert (sql/functions/notify_alerts.sql); the service leases an
-- address, sends all that is due to it as one message, and records the outcome.
-- Locks: none that matter, the tables are new.

create table contact (
    contact_id bigint generated always as identity,
    name       text   not null,
    user_id    bigint,
    constraint contact_pkey primary key (contact_id),
    constraint contact_user_id_fkey foreign key (user_id) references app_user (user_id) on delete cascade
);
create index contact_user_id_idx on contact (user_id);

comment on table contact is 'Somebody, or something, that can be told of alerts: a wearer, a nurse, a group, a system.';
comment on column contact.contact_id is 'Number of the contact.';
comment on column contact.name       is 'For people.';
comment on column contact.user_id    is 'The user it is: told of alerts of their own device by routes to the wearer. NULL: not a wearer.';

create table contact_address (
    contact_id bigint not null,
    channel    text   not null,
    address    text   not null,
    secret     text,
    enabled    boolean not null default true,
    constraint contact_address_pkey primary key (contact_id, channel, address),
    constraint contact_address_contact_id_fkey foreign key (contact_id) references contact (contact_id) on delete cascade,
    constraint contact_address_channel_check check (channel in ('wechat', 'wecom', 'wecom_robot', 'email', 'webhook')),
    constraint contact_address_address_check check (address ~ '\S' and octet_length(address) <= 2000)
);

comment on table contact_address is 'Where a contact is reached.';
comment on column contact_address.contact_id is 'The contact.';
comment on column contact_address.channel    is 'wechat (official account), wecom (application message), wecom_robot (group robot), email, webhook.';
comment on column contact_address.address    is 'wechat: openid; wecom: user id; wecom_robot: key of the robot; email: address; webhook: URL.';
comment on column contact_address.secret     is 'webhook: the key its messages are signed with, whsec_ and base64 (Standard Webhooks). NULL: not signed; other channels.';
comment on column contact_address.enabled    is 'False: not used.';

create table org_manager (
    org_id     bigint not null,
    contact_id bigint not null,
    constraint org_manager_pkey primary key (org_id, contact_id),
    constraint org_manager_org_id_fkey foreign key (org_id) references org_unit (org_id) on delete cascade,
    constraint org_manager_contact_id_fkey foreign key (contact_id) references contact (contact_id) on delete cascade
);

comment on table org_manager is 'Who answers for an organisation unit, and for those below it that have nobody.';
comment on column org_manager.org_id     is 'The unit.';
comment on column org_manager.contact_id is 'Who.';

create table notification_route (
    route_id      bigint generated always as identity,
    customer_id   bigint,
    org_id        bigint,
    rule_id       bigint,
    min_severity  text    not null default 'minor',
    channel       text    not null,
    audience      text    not null,
    contact_id    bigint,
    after_seconds integer not null default 0,
    on_resolved   boolean not null default false,
    merge_seconds integer,
    quiet_from    time,
    quiet_until   time,
    time_zone     text,
    enabled       boolean not null default true,
    constraint notification_route_pkey primary key (route_id),
    constraint notification_route_rule_id_fkey foreign key (rule_id) references alert_rule (rule_id) on delete cascade,
    constraint notification_route_contact_id_fkey foreign key (contact_id) references contact (contact_id) on delete cascade,
    constraint notification_route_min_severity_check check (min_severity in ('critical', 'major', 'minor', 'info')),
    constraint notification_route_channel_check check (channel in ('wechat', 'wecom', 'wecom_robot', 'email', 'webhook')),
    constraint notification_route_audience_check check (audience in ('wearer', 'managers', 'contact')),
    constraint notification_route_contact_check check ((audience = 'contact') = (contact_id is not null)),
    constraint notification_route_after_seconds_check check (after_seconds between 0 and 604800),
    constraint notification_route_merge_seconds_check check (merge_seconds between 0 and 3600),
    constraint notification_route_quiet_check check ((quiet_from is null) = (quiet_until is null) and quiet_from <> quiet_until)
);

comment on table notification_route is 'Who hears what. Every enabled route that matches an alert tells its audience; one address hears of an alert once, of its escalation once, and of its end once.';
comment on column notification_route.route_id      is 'Number of the route.';
comment on column notification_route.customer_id   is 'Tenant whose alerts take it. NULL: any.';
comment on column notification_route.org_id        is 'Organisation unit whose alerts take it, its sub-units too. NULL: any.';
comment on column notification_route.rule_id       is 'Rule whose alerts take it. NULL: any.';
comment on column notification_route.min_severity  is 'Alerts of this severity and above take it.';
comment on column notification_route.channel       is 'As in contact_address.';
comment on column notification_route.audience      is 'wearer; managers (of the wearer''s unit, else of the nearest unit above that has some with this channel); contact.';
comment on column notification_route.contact_id    is 'The contact. NULL: audience is not contact.';
comment on column notification_route.after_seconds is 'Escalation: told only when the alert is still firing, acknowledged by nobody, this long after it fired, seconds. 0: told at once.';
comment on column notification_route.on_resolved   is 'Whether the end of the alert is told too.';
comment on column notification_route.merge_seconds is 'After a message to an address, further ones wait this long and go as one, seconds. NULL: as set for the channel.';
comment on column notification_route.quiet_from    is 'Local time from which messages of less than critical severity wait until quiet_until. NULL: never.';
comment on column notification_route.quiet_until   is 'Local time at which they are sent; before quiet_from: of the next day. NULL with quiet_from.';
comment on column notification_route.time_zone     is 'Zone of the quiet hours (IANA name). NULL: that of the rollups.';
comment on column notification_route.enabled       is 'False: not used.';

create function vitals.notification_route_check() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    -- Abbreviations and offsets, which PostgreSQL would take too, know no summer time.
    if new.time_zone !~ '^([A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC)$' then
        raise exception '"%" is no time zone such as Asia/Shanghai', new.time_zone using errcode = 'check_violation';
    end if;
    -- Not looked up in pg_timezone_names, which reads every file of the server's zones.
    perform now() at time zone new.time_zone;
    return new;
exception
    when invalid_parameter_value then
        raise exception 'there is no time zone "%"', new.time_zone using errcode = 'check_violation';
end
$$;
comment on function vitals.notification_route_check() is 'Row trigger: refuses a time zone that does not exist.';
create trigger notification_route_check
    before insert or update of time_zone on notification_route
    for each row execute function vitals.notification_route_check();

create table notification (
    notification_id bigint generated always as identity,
    alert_id        bigint      not null,
    kind            text        not null,
    channel         text        not null,
    address         text        not null,
    contact_id      bigint      not null,
    route_id        bigint      not null,
    urgent          boolean     not null default false,
    status          text        not null default 'pending',
    created_at      timestamptz not null default clock_timestamp(),
    due_at          timestamptz not null default clock_timestamp(),
    unless_taken    boolean     not null default false,
    merge_seconds   integer,
    attempts        smallint    not null default 0,
    message_id      uuid,
    sent_at         timestamptz,
    error           text,
    constraint notification_pkey primary key (notification_id),
    -- One address is told of one thing once, however many routes lead to it.
    constraint notification_once_key unique (alert_id, kind, channel, address),
    constraint notification_alert_id_fkey foreign key (alert_id) references alert (alert_id) on delete cascade,
    constraint notification_kind_check check (kind in ('fired', 'escalated', 'resolved')),
    constraint notification_channel_check check (channel in ('wechat', 'wecom', 'wecom_robot', 'email', 'webhook')),
    constraint notification_status_check check (status in ('pending', 'sent', 'dead', 'cancelled')),
    constraint notification_sent_check check ((status = 'sent') = (sent_at is not null))
) with (autovacuum_vacuum_scale_factor = 0.02);
create index notification_pending_idx on notification (channel, address, urgent desc, due_at) where status = 'pending';
create index notification_tried_idx on notification (channel, address) where status = 'pending' and message_id is not null;
create index notification_dead_idx on notification (created_at) where status = 'dead';

comment on table notification is 'One row per alert and address to be told. Written with the alert; delivered at least once.';
comment on column notification.notification_id is 'Number of the notification.';
comment on column notification.alert_id        is 'The alert.';
comment on column notification.kind            is 'fired, escalated, resolved.';
comment on column notification.channel         is 'As in contact_address.';
comment on column notification.address         is 'As in contact_address when the alert was raised.';
comment on column notification.contact_id      is 'Whose address it is; the contact may be gone.';
comment on column notification.route_id        is 'Route it came by; it may be gone.';
comment on column notification.urgent          is 'The alert is critical: waits for no merging and no quiet hours, and goes before others.';
comment on column notification.status          is 'pending; sent; dead (refused, or tried in vain too often: vitals alerts dead-letters); cancelled (taken on before its time, silenced, or the address is no longer used).';
comment on column notification.created_at      is 'When it was written.';
comment on column notification.due_at          is 'Not before.';
comment on column notification.unless_taken    is 'An escalation: cancelled when the alert is no longer firing.';
comment on column notification.merge_seconds   is 'As the route said. NULL: as set for the channel.';
comment on column notification.attempts        is 'Times it was tried and failed, a limit of the provider''s not counted.';
comment on column notification.message_id      is 'The message it went, or is to go, with: the same at every attempt, for the receiver to fold by. NULL: not tried yet.';
comment on column notification.sent_at         is 'When the provider took it. NULL: it has not.';
comment on column notification.error           is 'Why the last attempt failed, in the provider''s words, or why it was cancelled. NULL: neither.';

create table vitals.notification_target (
    channel      text not null,
    address      text not null,
    next_at      timestamptz not null default '-infinity',
    sent_at      timestamptz,
    lease_token  uuid,
    leased_until timestamptz,
    constraint notification_target_pkey primary key (channel, address),
    constraint notification_target_lease_check check ((lease_token is null) = (leased_until is null))
);

comment on table vitals.notification_target is 'One row per address that was ever sent to: whose turn it is, and when the next message may go. Only senders touch it.';
comment on column vitals.notification_target.channel      is 'As in notification.';
comment on column vitals.notification_target.address      is 'As in notification.';
comment on column vitals.notification_target.next_at      is 'Nothing goes before: the budget of a robot, back-off after a failure, a limit of the provider''s.';
comment on column vitals.notification_target.sent_at      is 'When the last message went: further ones that are not urgent wait from here on to be merged. NULL: none went.';
comment on column vitals.notification_target.lease_token  is 'Which sender is at it. NULL: nobody.';
comment on column vitals.notification_target.leased_until is 'When the lease ends and another may take over. NULL: nobody is at it.';

-- A change adds a row and never meets an older one: a shown state that is being deleted could otherwise swallow a change
-- that is not committed yet.
create table vitals.alert_change (
    change_id    bigint generated always as identity,
    alert_id     bigint not null,
    device_sn    text collate "C" not null,
    created_at   timestamptz not null default clock_timestamp(),
    lease_token  uuid,
    leased_until timestamptz,
    constraint alert_change_pkey primary key (change_id),
    constraint alert_change_lease_check check ((lease_token is null) = (leased_until is null))
) with (autovacuum_vacuum_scale_factor = 0.02);

comment on table vitals.alert_change is 'Alerts that are to be shown anew in Redis. Written with the change, deleted when it is shown.';
comment on column vitals.alert_change.change_id    is 'Number of the change.';
comment on column vitals.alert_change.alert_id     is 'The alert; it may be deleted.';
comment on column vitals.alert_change.device_sn    is 'Its device.';
comment on column vitals.alert_change.created_at   is 'When it was written.';
comment on column vitals.alert_change.lease_token  is 'Which instance is at it. NULL: nobody.';
comment on column vitals.alert_change.leased_until is 'When the lease ends and another may take over. NULL: nobody is at it.';

create function vitals.alert_deleted() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into vitals.alert_change (alert_id, device_sn)
    select g.alert_id, g.device_sn from gone g where g.status <> 'resolved';
    return null;
end
$$;
comment on function vitals.alert_deleted() is 'Statement trigger: open alerts that are deleted go from Redis too.';
create trigger alert_deleted
    after delete on alert
    referencing old table as gone
    for each statement execute function vitals.alert_deleted();
