-- policy.apply
-- Purpose: enforces policy now. Commits as it goes.
-- Locks: the chunks and rows that go.
call public.apply_policies()
