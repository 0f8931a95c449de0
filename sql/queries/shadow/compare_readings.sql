-- shadow.compare_readings
-- Purpose: compares the records in pg_temp.incoming with the rows of their keys, each column with the type of the table.
-- Parameters: $1, $2 oldest and newest event time of the records, so that other chunks are left out.
-- Result: how many records are stored as they are, have no row, have another value where they have one. When a record was received is not
-- compared: of two uploads of the same record the first counts.
-- Locks: none.
select
    count(*) filter (where stored.device_sn is not null and not comparison.differs) as same,
    count(*) filter (where stored.device_sn is null) as missing,
    count(*) filter (where comparison.differs) as different
from pg_temp.incoming as sent
left join lateral (
    select kept.*
    from health_data as kept
    where kept.device_sn = sent.device_sn and kept.ts = sent.ts and kept.ts between $1::timestamptz and $2::timestamptz
) as stored on true
cross join lateral (
    select stored.device_sn is not null and exists (
        select
        from jsonb_each(to_jsonb(jsonb_populate_record(null::health_data, to_jsonb(sent) - 'received_at'))) as field (name, value)
        where field.value <> 'null' and field.value is distinct from to_jsonb(stored) -> field.name
    ) as differs
) as comparison
