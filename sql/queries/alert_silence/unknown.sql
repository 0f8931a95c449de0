-- alert_silence.unknown
-- Purpose: the ids of a silence that are unknown: no sample, binding, alert or directory entry has them.
-- Parameters, NULL for "not given": $1 tenant, $2 organisation unit, $3 serial.
-- Locks: none.
select array_remove(array[
    case when $1::bigint is not null
        and not exists (select from customer where customer_id = $1::bigint)
        and not exists (select from alert where customer_id = $1::bigint)
        then 'tenant ' || $1::bigint end,
    case when $2::bigint is not null
        and not exists (select from org_unit where org_id = $2::bigint)
        and not exists (select from alert where org_id = $2::bigint)
        then 'unit ' || $2::bigint end,
    case when $3::text is not null
        and not exists (select from device where device_sn = $3::text)
        and not exists (select from device_binding where device_sn = $3::text)
        and not exists (select from alert where device_sn = $3::text)
        and not exists (select from health_data where device_sn = $3::text)
        then 'device ' || $3::text end
], null) as unknown
