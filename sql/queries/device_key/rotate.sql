-- device_key.rotate
-- Purpose: keys of devices are made with another secret from now on; those made with the one before work a while longer.
-- The secret is made here: as a parameter it could stand in the server's log.
-- Parameter: $1 until when keys made with the others work.
-- Result: the number of the new secret.
-- Locks: the rows. Two at once: the second fails by the primary key.
with ended as (
    update vitals.device_key_secret set ends_at = least(ends_at, $1::timestamptz)
)
insert into vitals.device_key_secret (generation, secret)
-- Random numbers of the server; three of them hold more than 256 bits.
select
    coalesce(max(generation), 0) + 1,
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
from vitals.device_key_secret
returning generation
