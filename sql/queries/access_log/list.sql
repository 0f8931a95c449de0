-- access_log.list
-- Purpose: who looked at whose data, the newest first, as JSON.
-- Parameters; NULL is any: $1 device, $2 person, $3 login name of an account, $4 from when; $5 how many at most.
-- Locks: none.
select to_jsonb(x) || jsonb_build_object('login', a.login) as entry
from access_log as x
left join account as a on a.account_id = x.account_id
where ($1::text is null or x.device_sn = $1)
    and ($2::bigint is null or x.user_id = $2)
    and ($3::text is null or x.account_id = (select o.account_id from account as o where o.login = $3))
    and ($4::timestamptz is null or x.accessed_at >= $4)
order by x.accessed_at desc
limit $5
