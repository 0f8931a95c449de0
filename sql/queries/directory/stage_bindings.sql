-- directory.stage_bindings
-- Purpose: where the lines of a file wait until they are checked and merged. No user: the device is taken back. No
-- valid_from: as of now.
create temp table incoming (
    line        bigint           not null,
    device_sn   text collate "C" not null,
    user_id     bigint,
    valid_from  timestamptz,
    valid_until timestamptz
) on commit drop
