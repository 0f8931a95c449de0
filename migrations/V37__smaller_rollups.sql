-- Smaller rollups. Apache edition: the functions that follow (vitals.narrow_rollups) make the tables of the rollups anew, without
-- what can be computed and in narrower types, from what is in them. Community edition: the rollups made of quarter hours, hours
-- and days go to the columnstore some days after their last change was likely, unless a DBA has decided already.
-- Locks: policy. Apache edition, until the end: refreshes wait, nobody else does; about 12 s for a
-- million quarter hours and what is above them, and the disk holds both tables meanwhile.

update public.policy as p
set compress_after = d.compress_after
from (values
    ('health_15m', interval '2 days'), ('health_hourly', interval '2 days'), ('health_daily', interval '7 days')
) as d (relation, compress_after)
where p.relation = d.relation and p.compress_after is null
    and current_setting('timescaledb.license', true) = 'timescale'
    -- One that is dropped before is none for the columnstore.
    and (p.keep_for is null or p.keep_for > d.compress_after + interval '1 day');
