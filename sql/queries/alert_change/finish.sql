-- alert_change.finish
-- The end of claimed changes. Where Redis did not take them, the whole view is declared of no use and made anew when
-- Redis is back: so nothing piles up here meanwhile.
--   $1 token    $2 their numbers    $3 Redis did not take them
-- Locks: the rows, then the row of latest_view.
with done as (
    delete from vitals.alert_change
    where change_id = any ($2) and lease_token = $1::uuid
    returning change_id
)
update vitals.latest_view
set generation = generation + 1
where $3 and exists (select from done)
