-- device_key.secrets
-- Purpose: the secrets from which device keys are derived here (is_own), in the order of their numbers, and those of other cells whose
-- keys are accepted.
-- Locks: none.
select generation, secret, ends_at, true as is_own
from vitals.device_key_secret
union all
select generation, secret, ends_at, false
from vitals.accepted_device_key_secret
order by generation
