-- policy.plan
-- Purpose: what apply_policies() would do now, and what it would leave undone and why.
-- Parameters: $1 relation (NULL: all).
-- Locks: none.
select
    relation, action, case when until between '0001-01-01' and '9999-01-01' then until end as until, chunks, rows, bytes, note
from vitals.plan_policies()
where relation = $1::text or $1 is null
