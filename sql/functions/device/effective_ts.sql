-- The time by which the newest sample, or the newest message of a device about itself, is chosen: the event time; but the time of receipt
-- if the event time is more than five minutes later, so that samples of a watch with a fast clock do not hide later ones. Samples of one
-- receipt keep their order: a millionth of the difference (of a day at most) is added. So it is never later than the event time.
-- Parameters: event time, time of receipt. Locks: none. Bound to its operators when it is made, and planned as part of the query.
create or replace function vitals.effective_ts(ts timestamptz, received_at timestamptz) returns timestamptz
language sql
stable parallel safe
return case
    when ts <= received_at + interval '5 minutes' then ts
    else received_at + least(ts - received_at, interval '1 day') / 1000000
end;
comment on function vitals.effective_ts(timestamptz, timestamptz) is 'The time by which the newest row is chosen: the event time, or the receipt if it is dated ahead.';
