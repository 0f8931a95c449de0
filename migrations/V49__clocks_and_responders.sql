-- The clock of each watch, the periods in which the service could receive uploads, and keys of people who respond to alerts.
-- Locks: device, alert_action, alert_silence and api_key whole, for a moment; no row is rewritten.

alter table device
    add column clock_offset_seconds integer,
    add column clock_measured_at    timestamptz;
comment on column device.clock_offset_seconds is 'How far the clock of the device is behind, seconds; negative: it is ahead. NULL: not known to be more than a minute off.';
comment on column device.clock_measured_at    is 'When the offset was last measured; while the clock is off, at most every ten minutes. NULL: the clock never seemed off.';
-- The devices whose clock is off are few, and counted often.
create index device_clock_offset_idx on device (clock_offset_seconds) where clock_offset_seconds is not null;

create table vitals.reception_period (
    began_at timestamptz not null,
    last_at  timestamptz not null,
    constraint reception_period_pkey primary key (began_at),
    constraint reception_period_times_check check (began_at <= last_at)
);
comment on table vitals.reception_period is 'When the service could receive and store uploads. The time between two periods is an outage of the service; no silence of a device is counted from before the present period.';
comment on column vitals.reception_period.began_at is 'When an instance could store again. -infinity: the service had not run before.';
comment on column vitals.reception_period.last_at  is 'When an instance last could; written every few seconds while the period lasts.';
-- What was silent while an older program ran counts; what is silent until the new one starts does not.
insert into vitals.reception_period (began_at, last_at) select '-infinity', now() where exists (select from device);

-- It comes back with other parameters.
drop function if exists vitals.silent_devices(alert_rule);

alter table api_key
    add column org_id    bigint,
    add column actor     text,
    add column may_vouch boolean not null default false,
    drop constraint api_key_scopes_check,
    add constraint api_key_scopes_check check (scopes <@ '{upload,read,respond,admin}' and cardinality(scopes) > 0),
    add constraint api_key_org_id_check check (org_id > 0),
    -- The unit is one of the tenant; uploads are not limited to a unit.
    add constraint api_key_unit_check check (org_id is null or customer_id is not null and scopes = '{respond}'),
    add constraint api_key_actor_check check (actor ~ '\S' and char_length(actor) <= 200),
    -- Who acts by a key with scope respond is known: by the key, or because the key may name the person.
    add constraint api_key_respond_check check (not 'respond' = any (scopes) or actor is not null or may_vouch);
comment on column api_key.scopes    is 'What it may do: upload (what devices send), read (GET below /api/, /metrics), respond (read alerts, act on them and silence them), admin (everything else below /api/; for keys of all tenants only).';
comment on column api_key.org_id    is 'Organisation unit of the key, with its sub-units: it sees and changes only alerts of these. NULL: not limited to a unit.';
comment on column api_key.actor     is 'The person to whom the key belongs: the actor of all that is done with it. NULL: the key belongs to no person.';
comment on column api_key.may_vouch is 'Whether a request with this key may name another actor, for whom the owner of the key vouches.';

drop trigger api_key_changed on api_key;
create trigger api_key_changed
    after insert or delete
        or update of key_id, customer_id, org_id, actor, may_vouch, scopes, secret_hash, previous_hash, previous_until, expires_at, revoked_at
    on api_key
    for each statement execute function vitals.api_key_changed();

alter table alert_action
    add column key_id text collate "C" default nullif(current_setting('vitals.key_id', true), '');
comment on column alert_action.key_id is 'The API key of the request that caused it. NULL: not by a request, or authentication is off.';
alter table alert_silence
    add column key_id text collate "C" default nullif(current_setting('vitals.key_id', true), '');
comment on column alert_silence.key_id is 'The API key of the request that created it. NULL: not by a request, or authentication is off.';
