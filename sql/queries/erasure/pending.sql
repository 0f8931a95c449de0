-- erasure.pending
-- Purpose: erasures whose keys are still in Redis.
-- Locks: none.
select erasure_id, coalesce(pending, '{}') as pending
from erasure
where erased_at is not null and forgotten_at is null
order by erasure_id
