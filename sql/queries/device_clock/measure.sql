-- device_clock.measure
-- Purpose: measures the clocks of devices and records those that are off, or right again.
-- Parameters, arrays of the same length: $1 device_sn, $2 time of a row that was received lately.
-- Locks: rows of device, by serial; locked ones are skipped.
select vitals.measure_clocks($1::text[], $2::timestamptz[])
