-- device_key.rotate
-- Purpose: keys of devices are made with another secret from now on; those made with the one before work a while longer.
-- Parameters: $1 the secret, $2 until when keys made with the others work.
-- Result: the number of the new secret.
-- Locks: the rows. Two at once: the second fails by the primary key.
with ended as (
    update vitals.device_key_secret set ends_at = least(ends_at, $2::timestamptz)
)
insert into vitals.device_key_secret (generation, secret)
select coalesce(max(generation), 0) + 1, $1
from vitals.device_key_secret
returning generation
