-- device_config.read
-- Purpose: the configuration of a watch, in one statement.
-- Parameters: $1 tenant that it names (0: none); $2 its serial ('': none).
-- Result: one row. A bound device belongs to the tenant of its binding, whatever tenant it names. is_known is false for an unknown
-- tenant; while the directory has no tenant at all, every device gets the defaults.
-- Locks: none.
with device as (
    select
        o.user_id,
        o.org_id,
        case when o.customer_id <> 0 then o.customer_id else $1::bigint end as customer_id
    from device_owner(array[$2::text]) o
)
select
    d.customer_id,
    d.org_id,
    d.user_id,
    coalesce(own_name.name, unit_name.name, default_name.name, '') as customer_name,
    d.customer_id = 0
        or own_name.customer_id is not null
        or exists (select from org_unit u where u.customer_id = d.customer_id)
        or not exists (select from org_unit)
        and not exists (select from customer c where c.customer_id <> 0) as is_known,
    coalesce(own.upload_method, defaults.upload_method)                       as upload_method,
    coalesce(own.is_support_license, defaults.is_support_license)             as is_support_license,
    coalesce(own.license_key, defaults.license_key)                           as license_key,
    coalesce(own.cache_max_count, defaults.cache_max_count)                   as cache_max_count,
    coalesce(own.enable_resume, defaults.enable_resume)                       as enable_resume,
    coalesce(own.upload_retry_count, defaults.upload_retry_count)             as upload_retry_count,
    coalesce(own.upload_retry_interval_seconds, defaults.upload_retry_interval_seconds) as upload_retry_interval_seconds,
    coalesce((
        select jsonb_agg(to_jsonb(m))
        from (
            select distinct on (metric) metric, interval_seconds, collect, realtime, warn_high, warn_low, warn_count
            from device_config_metric
            where customer_id in (0, d.customer_id)
            order by metric, customer_id desc
        ) m
    ), '[]') as metrics,
    coalesce((
        select jsonb_agg(to_jsonb(i))
        from (
            select distinct on (name) name, path, interval_seconds, enabled, api_id, auth_header
            from device_config_interface
            where customer_id in (0, d.customer_id)
            order by name, customer_id desc
        ) i
    ), '[]') as interfaces
from device d
join device_config defaults on defaults.customer_id = 0
left join device_config own on own.customer_id = d.customer_id
left join customer own_name on own_name.customer_id = d.customer_id and d.customer_id <> 0
left join org_unit unit_name on unit_name.org_id = d.customer_id
left join customer default_name on default_name.customer_id = 0
