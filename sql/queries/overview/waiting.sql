-- overview.waiting
-- Purpose: how many committed transactions were not reacted to yet.
-- Locks: none.
select count(*) as batches
from outbox
