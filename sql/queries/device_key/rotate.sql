-- device_key.rotate
-- Purpose: device keys are derived from a new secret from now on; keys of the previous secrets work for a while longer.
-- The database creates the secret, because a parameter could appear in the log of the server.
-- Parameter: $1 until when keys of the previous secrets work.
-- Result: the number of the new secret.
-- Locks: the rows. If two rotations run at once, the second one fails on the primary key.
with ended as (
    update vitals.device_key_secret set ends_at = least(ends_at, $1::timestamptz)
)
insert into vitals.device_key_secret (generation, secret)
-- Random numbers of the server: three of them have more than 256 bits of entropy.
select
    coalesce(max(generation), 0) + 1,
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
from vitals.device_key_secret
returning generation
