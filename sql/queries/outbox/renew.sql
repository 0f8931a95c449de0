-- outbox.renew
-- Prolongs the lease of what a lane holds, while a long reaction goes on.
--   $1 token of the lane    $2 batch_ids    $3 lease from now, seconds
-- Locks: the rows, for the moment of the statement; rows that are just being finished are passed over.
with held as (
    select batch_id
    from outbox
    where batch_id = any ($2) and lease_token = $1::uuid
    for update skip locked
)
update outbox
set leased_until = now() + make_interval(secs => $3)
from held
where outbox.batch_id = held.batch_id
