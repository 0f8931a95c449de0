-- dashboards.header
-- Purpose: the counters at the top, each with its value at the same time yesterday: devices online (a sample within the last
-- quarter hour), samples of the day, alerts of the day, people whose device sent a sample on the day.
-- Samples and people of yesterday are counted in whole hours, the current hour included.
-- Parameters: none. Days are cut in the zone of the rollups.
-- Reads: latest, health_15m, health_hourly, alert, device.
-- Cost: grows with the number of devices, not with the age of the data: two days of hourly buckets, and one look-up by key per device.
with day as materialized (
    select today, yesterday, now() as until, yesterday + (now() - today) as yesterday_until from dashboard.clock
), hours as materialized (
    select
        h.device_sn,
        sum(h.samples) filter (where h.bucket >= day.today)                                     as today,
        sum(h.samples) filter (where h.bucket < day.today and h.first_ts < day.yesterday_until) as yesterday
    from dashboard.health_hourly as h, day
    where h.bucket >= (select yesterday from day)
    group by h.device_sn
), alerts as (
    select
        count(*) filter (where a.fired_ts >= day.today)                                           as today,
        count(*) filter (where a.fired_ts < day.today and a.fired_ts < day.yesterday_until)       as yesterday
    from dashboard.alert as a, day
    where a.fired_ts >= (select yesterday from day)
), people as (
    select
        count(distinct d.user_id) filter (where h.today > 0)     as today,
        count(distinct d.user_id) filter (where h.yesterday > 0) as yesterday
    from hours as h
    join dashboard.device as d using (device_sn)
)
select
    (select count(*) from dashboard.latest where ts > now() - interval '15 minutes') as devices_online,
    (
        select count(distinct q.device_sn)
        from dashboard.health_15m as q, day
        where q.bucket > (select yesterday_until - interval '30 minutes' from day)
            and q.bucket <= (select yesterday_until from day)
            and q.first_ts <= day.yesterday_until and q.last_ts > day.yesterday_until - interval '15 minutes'
    )                                                            as devices_online_yesterday,
    (select coalesce(sum(today), 0)::bigint from hours)          as samples_today,
    (select coalesce(sum(yesterday), 0)::bigint from hours)      as samples_yesterday,
    alerts.today                                                 as alerts_today,
    alerts.yesterday                                             as alerts_yesterday,
    people.today                                                 as active_users_today,
    people.yesterday                                             as active_users_yesterday
from alerts, people
