-- As of when a sample, or a message of a device about itself, counts where the newest counts: its event time; of one that is dated
-- more than five minutes after its receipt the receipt, so that a watch whose clock runs ahead does not silence itself. Of one receipt
-- such ones keep their order: a millionth of how far they are ahead (of a day at most) is added. So none counts as later than its
-- event time.
-- Parameters: event time, time of receipt. Locks: none. Bound to its operators when it is made, and planned as part of the query.
create or replace function vitals.effective_ts(ts timestamptz, received_at timestamptz) returns timestamptz
language sql
stable parallel safe
return case
    when ts <= received_at + interval '5 minutes' then ts
    else received_at + least(ts - received_at, interval '1 day') / 1000000
end;
comment on function vitals.effective_ts(timestamptz, timestamptz) is 'As of when something counts where the newest counts: what is dated ahead, as of its receipt.';
