-- notification.measure
-- How many rows of each channel are due and wait, and for how long the oldest has.
-- Locks: none.
select channel, count(*) as waiting, extract(epoch from clock_timestamp() - min(due_at))::float8 as oldest_seconds
from notification
where status = 'pending' and due_at <= now()
group by channel
