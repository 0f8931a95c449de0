-- What was erased, for as long as uploads that were received before may wait in the buffer: they are not stored when it is drained. And what
-- the events of a device were when they were sent to another cell.
-- Phase: expand
-- Locks: erasure against writers, for a moment.

create table vitals.erased_span (
    erasure_id bigint      not null,
    device_sn  text collate "C",
    user_id    bigint,
    from_ts    timestamptz not null default '-infinity',
    to_ts      timestamptz not null default 'infinity',
    erased_at  timestamptz not null default clock_timestamp(),
    constraint erased_span_key unique nulls not distinct (erasure_id, device_sn, user_id, from_ts),
    constraint erased_span_erasure_id_fkey foreign key (erasure_id) references erasure (erasure_id) on delete cascade,
    constraint erased_span_subject_check check (num_nonnulls(device_sn, user_id) > 0)
);

comment on table vitals.erased_span is 'What was erased: a device, a user, and which devices the user wore when. Uploads that were received before the erasure and are drained from the buffer after it are not stored. Written when an erasure begins; deleted by `vitals erase`, also by `vitals erase finish`, when nothing of that time is left in the buffer.';
comment on column vitals.erased_span.erasure_id is 'Number of the erasure.';
comment on column vitals.erased_span.device_sn  is 'Serial number of a device that was erased or that the user wore. NULL: of any device, what names the user.';
comment on column vitals.erased_span.user_id    is 'The user who was erased. NULL: the device was.';
comment on column vitals.erased_span.from_ts    is 'Start of the time in which the user wore the device; -infinity if there is none.';
comment on column vitals.erased_span.to_ts      is 'End of that time (exclusive); infinity if there is none.';
comment on column vitals.erased_span.erased_at  is 'What was received until then is erased: when the erasure began, and when it is complete, when it was completed.';

insert into vitals.erased_span (erasure_id, device_sn, erased_at)
select erasure_id, unnest(pending), erased_at from erasure where kind = 'device' and erased_at is not null;

alter table vitals.sent_device add column events_hash text;
comment on column vitals.sent_device.events_hash is 'Hash of the events that were sent (vitals.hash_of_events), of transactions that are over. NULL: there were none.';
