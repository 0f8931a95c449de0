-- outbox.measure
-- How many rows wait, leased ones too, and the transaction number from which on every transaction is still to begin.
-- Locks: none.
select count(*) as waiting, txid_snapshot_xmax(txid_current_snapshot()) as horizon
from outbox
