-- directory.stage_bindings
-- Purpose: creates the temporary table in which the lines of a file wait until they are checked and merged. A line without a user
-- unbinds the device. A line without valid_from applies from now on.
create temp table incoming (
    line        bigint           not null,
    device_sn   text collate "C" not null,
    user_id     bigint,
    valid_from  timestamptz,
    valid_until timestamptz
) on commit drop
