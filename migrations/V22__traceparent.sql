-- A trace goes on where the halves of the service meet: the rows that carry work from one to the other carry the W3C
-- traceparent of what wrote them, where that is traced.

alter table outbox add column traceparent text;
comment on column outbox.traceparent is 'W3C traceparent of the batch, for the trace of its reaction. NULL: it is not traced.';

alter table notification add column traceparent text;
comment on column notification.traceparent is 'W3C traceparent of what raised the alert, for the trace of its delivery. NULL: it is not traced.';

-- It tells how long the rules took, too: made anew with the functions.
drop function if exists vitals.finish_batches(uuid, bigint[], text[], timestamptz, timestamptz, boolean);
