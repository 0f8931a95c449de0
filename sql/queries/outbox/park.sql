-- outbox.park
-- Puts a row aside whose reaction fails by itself, so that its neighbours go on: it is claimed again, by anybody,
-- when the time has passed.
--   $1 token of the lane that gives it up    $2 batch_id    $3 time until the next attempt, seconds
-- Locks: the row.
update outbox
set lease_token  = gen_random_uuid(),
    leased_until = now() + make_interval(secs => $3)
where batch_id = $2 and lease_token = $1::uuid
