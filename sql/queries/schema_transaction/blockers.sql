-- schema_transaction.blockers
-- Purpose: sessions of this database with an open transaction, the oldest first: one of them may hold the lock that was not granted.
-- Locks: none.
select format('pid %s (%s of %s, %s for %s s)', pid, coalesce(nullif(application_name, ''), backend_type), usename, state,
    extract(epoch from now() - xact_start)::bigint) as session
from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
order by xact_start
limit 5
