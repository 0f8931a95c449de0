-- batch.incoming
-- Purpose: prepares a session for batches:
-- * Commits do not wait for a synchronous standby, except those of batches (store::batch::BEGIN): the temporary table is created, and
--   dropped at the end of the session, in transactions of the server that nobody could cancel while the standby is away.
-- * The temporary table receives likely duplicates. Every commit empties it.
-- * The setting vitals.marks_by_batch says that its updates have a batch, by which the relay marks them (see rollup_create.sql).
-- * An error outside a transaction ends the session, so that statements pipelined after a failed begin do not run by themselves.
-- Locks: none that other sessions see.
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
