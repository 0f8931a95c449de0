-- device_key.secrets
-- Purpose: the secrets from which device keys are derived, in the order of their numbers.
-- Locks: none.
select generation, secret, ends_at
from vitals.device_key_secret
order by generation
