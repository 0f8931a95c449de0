-- device_key.secrets
-- Purpose: what keys of devices are derived from, in the order of their numbers.
-- Locks: none.
select generation, secret, ends_at
from vitals.device_key_secret
order by generation
