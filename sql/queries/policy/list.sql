-- policy.list
-- Purpose: every policy, who changed it last, and what its last run did.
-- Locks: none.
select
    p.relation, t.kind, p.keep_for::text, p.compress_after::text, p.refresh_every::text, p.refresh_lag::text,
    p.keep_bytes, c.changed_at, c.changed_by, w.applied_at, w.chunks_dropped, w.rows_deleted, w.chunks_compressed, w.held
from policy as p
left join vitals.policy_relations() as t on t.relation = p.relation
left join vitals.policy_run as w on w.relation = p.relation
left join vitals.policy_change as c on c.relation = p.relation
order by t.place
