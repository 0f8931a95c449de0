-- policy.set
-- Purpose: changes the given columns of one policy; an empty text sets NULL. A trigger refuses a policy that would lose data.
-- Parameters: $1 relation, $2 keep_for, $3 compress_after, $4 refresh_every, $5 refresh_lag, $6 keep_bytes; NULL: unchanged.
-- Locks: the row; the jobs of TimescaleDB that policy controls.
update policy
set keep_for       = case when $2::text is null then keep_for       else nullif($2, '')::interval end,
    compress_after = case when $3::text is null then compress_after else nullif($3, '')::interval end,
    refresh_every  = case when $4::text is null then refresh_every  else nullif($4, '')::interval end,
    refresh_lag    = case when $5::text is null then refresh_lag    else nullif($5, '')::interval end,
    keep_bytes     = case when $6::text is null then keep_bytes     else nullif($6, '')::bigint end
where relation = $1::text
