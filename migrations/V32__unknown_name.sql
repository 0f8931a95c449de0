-- Names in uploads that have no meaning here: fields that are misspelled or of a newer firmware, event types without a rule.
-- Locks: policy against writers, for the moment of the statement.

create table unknown_name (
    kind          text collate "C" not null,
    name          text collate "C" not null,
    count         bigint      not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    device_sn     text collate "C",
    constraint unknown_name_pkey primary key (kind, name),
    constraint unknown_name_kind_check check (kind in ('sample', 'device_info', 'event', 'event_type')),
    constraint unknown_name_count_check check (count > 0)
);

comment on table unknown_name is 'Names in uploads that have no meaning here, each once. At most 1000: of more, the ones that came least often go.';
comment on column unknown_name.kind          is 'What it is the name of: a field of a sample, of device_info or of an event, or an event_type.';
comment on column unknown_name.name          is 'The name as it was sent, without control characters, at most 64 bytes.';
comment on column unknown_name.count         is 'How often it came.';
comment on column unknown_name.first_seen_at is 'When it first came.';
comment on column unknown_name.last_seen_at  is 'When it last came.';
comment on column unknown_name.device_sn     is 'First device that sent it. NULL: it named none.';

create view unknown_event_type as
select u.name as event_type, u.count, u.first_seen_at, u.last_seen_at, u.device_sn
from unknown_name as u
where u.kind = 'event_type'
  and not exists (select from event_type as t where t.event_type = u.name)
  and not exists (select from alert_rule as r where r.event_type = u.name);

comment on view unknown_event_type is 'Types of events that came and that neither event_type nor a rule names: such an event is kept, and nobody is alerted.';
comment on column unknown_event_type.event_type    is 'Short type, upper case, as in device_event.';
comment on column unknown_event_type.count         is 'How often it came.';
comment on column unknown_event_type.first_seen_at is 'When it first came.';
comment on column unknown_event_type.last_seen_at  is 'When it last came.';
comment on column unknown_event_type.device_sn     is 'First device that sent it. NULL: it named none.';

insert into policy (relation, keep_for) values ('unknown_name', interval '90 days');

comment on column rejected_upload.reason is 'Kind of refusal, a fixed word: no_serial, bad_serial, bad_time, future, too_old, out_of_range, bad_value, nothing_known, not_an_object, not_json, other_tenant, other_device, refused_by_database.';
