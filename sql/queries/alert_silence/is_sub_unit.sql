-- alert_silence.is_sub_unit
-- Purpose: whether an organisation unit is another one, or one of its sub-units.
-- Parameters: $1 the unit, $2 the other one.
-- Locks: none.
select $1::bigint = $2::bigint
    or exists (select from org_unit where org_id = $1::bigint and $2::bigint = any (ancestors)) as is_sub_unit
