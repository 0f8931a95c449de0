-- overview.waiting
-- Purpose: the number of committed transactions whose reaction is not finished.
-- Locks: none.
select count(*) as batches
from outbox
