-- directory.refuse_bindings
-- Purpose: removes lines that repeat the device and the instant of an earlier line, or whose user is unknown.
-- Result: each removed line with the reason; a NULL reason: the line was identical to an earlier one.
with first as (
    select distinct on (device_sn, valid_from) * from pg_temp.incoming order by device_sn, valid_from, line
),
judged as (
    select
        i.line,
        f.line < i.line as is_repeat,
        case
            when f.line < i.line and (i.user_id, i.valid_until) is distinct from (f.user_id, f.valid_until)
            then format('device %s is bound otherwise in line %s', i.device_sn, f.line)
            when f.line = i.line and i.user_id is not null and u.user_id is null
            then format('user %s is not known', i.user_id)
        end as reason
    from pg_temp.incoming i
    join first f
        on f.device_sn = i.device_sn
        and coalesce(f.valid_from, 'infinity') = coalesce(i.valid_from, 'infinity')
    left join app_user u on u.user_id = i.user_id
),
refused as (
    delete from pg_temp.incoming i
    using judged j
    where j.line = i.line and (j.is_repeat or j.reason is not null)
    returning i.line, j.reason
)
select line, reason from refused order by line
