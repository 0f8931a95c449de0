-- The time by which the newest sample or the newest device information is chosen. It is the event time, or the time of receipt if the
-- event time is more than five minutes later; so samples of a watch with a fast clock do not hide later samples. Samples that were
-- received together keep their order: a millionth of the difference (of one day at most) is added. The result is never later than the event time.
-- Parameters: event time, time of receipt. Locks: none. PostgreSQL resolves its operators when it is created, and inlines it.
create or replace function vitals.effective_ts(ts timestamptz, received_at timestamptz) returns timestamptz
language sql
stable parallel safe
return case
    when ts <= received_at + interval '5 minutes' then ts
    else received_at + least(ts - received_at, interval '1 day') / 1000000
end;
comment on function vitals.effective_ts(timestamptz, timestamptz) is 'The time by which the newest row is chosen: the event time, or the time of receipt if the row is dated ahead.';
