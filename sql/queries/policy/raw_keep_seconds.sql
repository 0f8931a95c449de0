-- policy.raw_keep_seconds
-- Purpose: the age, in seconds, from which raw rows may be dropped. NULL: never.
-- Locks: none.
select extract(epoch from now() - (now() - keep_for))::bigint as keep_seconds
from policy
where relation = 'health_data'
