-- What watches say of their own working, for whoever looks for a fault.
-- Locks: policy against writers, for the moment of the statement.

create table watch_log (
    watch_log_id bigint generated always as identity,
    device_sn    text collate "C",
    ts           timestamptz not null,
    received_at  timestamptz not null,
    level        text,
    content      text        not null,
    customer_id  bigint,
    constraint watch_log_pkey primary key (watch_log_id),
    constraint watch_log_content_check check (octet_length(content) <= 16384)
);
-- A line that is sent again is the same line.
create unique index watch_log_line_key on watch_log (device_sn, ts, md5(content)) nulls not distinct;
create index watch_log_received_at_idx on watch_log (received_at);

comment on table watch_log is 'Lines of the logs of watches, each once, kept for a week (policy).';
comment on column watch_log.watch_log_id is 'Number of the line.';
comment on column watch_log.device_sn    is 'Serial number of the device. NULL: the line named none that can be read.';
comment on column watch_log.ts           is 'When the device wrote it; the time of receipt where it names none that can be.';
comment on column watch_log.received_at  is 'When the service took it.';
comment on column watch_log.level        is 'How grave it is, the word of the device, at most 32 bytes. NULL: it names none.';
comment on column watch_log.content      is 'The line; what goes beyond 16 KiB is cut off.';
comment on column watch_log.customer_id  is 'Tenant of the device at that time, 64 bit. NULL: not known.';

insert into policy (relation, keep_for) values ('watch_log', interval '7 days');
