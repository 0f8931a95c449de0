-- placement.list
-- Purpose: the name of this cell, the cells, and which devices live in each. A cell without devices has one row, with customer_id NULL;
-- without any cell there is one row with the name of this one.
-- Locks: none.
select c.name as own, u.cell, u.public_url, u.internal_url, p.customer_id, p.first_device_sn, p.last_device_sn
from vitals.cell as c
left join vitals.cell_url as u on true
left join vitals.placement as p on p.cell = u.cell
