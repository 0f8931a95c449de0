-- placement.list
-- Purpose: the cells, and which devices live in each. A cell without devices has one row, with customer_id NULL.
-- Locks: none.
select
    (select c.name from vitals.cell as c) as own, u.cell, u.public_url, u.internal_url,
    p.customer_id, p.first_device_sn, p.last_device_sn
from vitals.cell_url as u
left join vitals.placement as p using (cell)
