-- policy.apply
-- Purpose: enforces policy now. It commits several times.
-- Locks: the chunks and rows that it removes.
call public.apply_policies()
