-- contact_address.begin_test
-- Purpose: begins a test of an address, unless the same address, of whichever contact, was tested shortly before.
-- Parameters: $1 number of the address, $2 who tests it, $3 least seconds between two tests.
-- Result: the address; wait_seconds: until it may be tested, NULL: the test has begun. No row: there is no such address.
-- Locks: the row.
with target as (
    select a.address_id, a.channel, a.address, a.secret, c.language,
        (select max(o.tested_at) from contact_address as o where o.channel = a.channel and o.address = a.address) as tested_at
    from contact_address as a
    join contact as c on c.contact_id = a.contact_id
    where a.address_id = $1
), begun as (
    update contact_address as a
    set tested_at = clock_timestamp(), tested_by = $2, test_error = 'no answer yet'
    from target as t
    where a.address_id = t.address_id
      -- The row itself is looked at once more when another test has just ended its wait for the lock.
      and (a.tested_at is null or a.tested_at <= now() - make_interval(secs => $3))
      and (t.tested_at is null or t.tested_at <= now() - make_interval(secs => $3))
    returning a.address_id
)
select t.channel, t.address, t.secret, t.language,
    case when not exists (select from begun)
        then greatest(coalesce($3 - extract(epoch from now() - t.tested_at)::float8, $3), 1)
    end as wait_seconds
from target as t
