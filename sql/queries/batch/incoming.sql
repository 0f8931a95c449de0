-- batch.incoming
-- Purpose: what a session for batches needs: that nothing waits for a synchronous standby but its batches
-- (store::batch::BEGIN), for the temporary table is made, and dropped when the session ends, in transactions of the server that nobody
-- could end while the standby is away; the temporary table through which likely repeats go, emptied by every
-- commit; the word that its updates carry their batch, by which the relay marks them (see rollup_create.sql); and that an error
-- outside of a transaction ends it, so that nothing sent behind a begin that failed runs by itself.
-- Locks: none that others see.
set synchronous_commit = local;

create temporary table if not exists incoming (
    device_sn     text collate "C",
    ts            timestamptz,
    received_at   timestamptz,
    customer_id   bigint,
    org_id        bigint,
    user_id       bigint,
    upload_method text collate "C",
    -- generated: columns with types
    heart_rate smallint,
    blood_oxygen smallint,
    temperature numeric,
    pressure_high smallint,
    pressure_low smallint,
    stress smallint,
    step integer,
    distance numeric,
    calorie numeric,
    latitude double precision,
    longitude double precision,
    altitude double precision,
    respiratory_rate numeric,
    heart_rate_variability numeric,
    blood_glucose numeric,
    skin_temperature numeric
    -- end
) on commit delete rows;

set vitals.marks_by_batch = on;

set exit_on_error = on
