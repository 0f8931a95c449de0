-- reception.record
-- Purpose: records that this instance can receive and store uploads now.
-- Locks: the row of the present period.
select vitals.record_reception()
