-- directory.end_bindings
-- Purpose: ends bindings before others begin, so that no device has two open bindings at any time.
-- Result: the number of ended bindings, and a text for each of the first ones.
-- Locks: rows of device_binding.
with taken_back as (
    delete from device_binding b
    using pg_temp.timeline t
    where t.device_sn = b.device_sn and t.valid_from = b.valid_from and t.user_id is null
    returning b.device_sn, b.user_id, b.valid_from as valid_until
),
ended as (
    update device_binding b
    set valid_until = t.valid_until
    from pg_temp.timeline t
    where t.device_sn = b.device_sn
      and t.valid_from = b.valid_from
      and t.user_id is not null
      and (not t.is_given or b.valid_until is null)
      and t.valid_until is not null
      and b.valid_until is distinct from t.valid_until
    returning b.device_sn, b.user_id, b.valid_until
),
every as (select * from taken_back union all select * from ended)
select
    (select count(*) from every) as ended,
    array(select format('device %s worn by %s until %s', e.device_sn, e.user_id, e.valid_until) from every e limit 3) as first_ended
