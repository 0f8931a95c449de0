-- instance.leave
-- Purpose: records that an instance has ended.
-- Parameters: $1 random id of the instance.
-- Locks: the row.
delete from vitals.instance where instance_id = $1::uuid
