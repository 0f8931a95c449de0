-- The elements of nested documents as rows: sleep, exercise by day, workouts; and the views dashboards read them by.
-- Locks: none that matter, the tables are new.
--
-- Plain tables: a device adds a handful of rows a day, and their keys hold no time by which a hypertable could be cut.

create table sleep_segment (
    device_sn   text collate "C" not null,
    start_ts    timestamptz not null,
    end_ts      timestamptz not null,
    type_code   integer,
    stage       text collate "C" not null
        generated always as (case type_code when 1 then 'light' when 2 then 'deep' else 'unknown' end) stored,
    end_day     date        not null,
    customer_id bigint,
    org_id      bigint,
    user_id     bigint,
    ts          timestamptz not null,
    received_at timestamptz not null,
    batch_id    bigint      not null default txid_current(),
    -- All of an element: two that differ in anything are two for the legacy figure, which sums them.
    constraint sleep_segment_key unique nulls not distinct (device_sn, start_ts, end_ts, type_code),
    constraint sleep_segment_span_check check (start_ts < end_ts)
);
create index sleep_segment_device_day_idx on sleep_segment (device_sn, end_day);
create index sleep_segment_device_week_idx on sleep_segment (device_sn, (date_trunc('week', end_day::timestamp)::date));
create index sleep_segment_day_idx on sleep_segment (end_day);

comment on table sleep_segment is 'Sleep as devices tell it: one row per element of a sleep document, however often it is sent. Segments may overlap; sleep_night merges them.';
comment on column sleep_segment.device_sn   is 'Serial number of the device.';
comment on column sleep_segment.start_ts    is 'Start of the segment.';
comment on column sleep_segment.end_ts      is 'End of the segment, exclusive.';
comment on column sleep_segment.type_code   is 'Type as sent: 1 light, 2 deep; what other codes mean is not known. NULL: not sent.';
comment on column sleep_segment.stage       is 'What type_code means: light, deep, unknown.';
comment on column sleep_segment.end_day     is 'Local day on which the segment ends, in the zone of the rollups (vitals.rollup). The key by which nights are found.';
comment on column sleep_segment.customer_id is 'Tenant, 64 bit. NULL: not known.';
comment on column sleep_segment.org_id      is 'Organisation unit, 64 bit. NULL: not known.';
comment on column sleep_segment.user_id     is 'Wearer, 64 bit. NULL: not known.';
comment on column sleep_segment.ts          is 'Event time of the sample by which it came first.';
comment on column sleep_segment.received_at is 'When the service took that upload.';
comment on column sleep_segment.batch_id    is 'Transaction that last wrote the row (txid_current()).';

-- Both documents tell the same totals of a day, which grow until local midnight. Each is kept as its newest sample has
-- it, so that an older sample, whenever it comes, lowers nothing, and what a watch corrects is corrected: in the minutes
-- after midnight watches still send yesterday's document. Of the two the larger holds: it was counted later.
create table exercise_day (
    device_sn               text collate "C" not null,
    day                     date        not null,
    customer_id             bigint,
    org_id                  bigint,
    user_id                 bigint,
    strength_minutes        numeric generated always as (greatest(daily_strength_minutes, weekly_strength_minutes)) stored,
    active_hours            numeric generated always as (greatest(daily_active_hours, weekly_active_hours)) stored,
    steps                   integer generated always as (greatest(daily_steps, weekly_steps)) stored,
    daily_ts                timestamptz,
    daily_strength_minutes  numeric,
    daily_active_hours      numeric,
    daily_steps             integer,
    weekly_ts               timestamptz,
    weekly_strength_minutes numeric,
    weekly_active_hours     numeric,
    weekly_steps            integer,
    received_at             timestamptz not null,
    batch_id                bigint      not null default txid_current(),
    constraint exercise_day_pkey primary key (device_sn, day)
);
create index exercise_day_day_idx on exercise_day (day);

comment on table exercise_day is 'Exercise, one row per device and local day: from the document of the day and from the day''s element of the week.';
comment on column exercise_day.device_sn               is 'Serial number of the device.';
comment on column exercise_day.day                     is 'Local day of the device (device_time_zone), at whose midnight its totals restart.';
comment on column exercise_day.customer_id             is 'Tenant, 64 bit. NULL: not known.';
comment on column exercise_day.org_id                  is 'Organisation unit, 64 bit. NULL: not known.';
comment on column exercise_day.user_id                 is 'Wearer, 64 bit. NULL: not known.';
comment on column exercise_day.strength_minutes        is 'Minutes at medium or high intensity: the larger of both documents. NULL: not sent.';
comment on column exercise_day.active_hours            is 'Hours with activity: the larger of both documents. NULL: not sent.';
comment on column exercise_day.steps                   is 'Steps: the larger of both documents. NULL: not sent.';
comment on column exercise_day.daily_ts                is 'Event time of the sample whose document of the day is kept here. NULL: none came.';
comment on column exercise_day.daily_strength_minutes  is 'Minutes at medium or high intensity, by the document of the day. NULL: not sent.';
comment on column exercise_day.daily_active_hours      is 'Hours with activity, by the document of the day. NULL: not sent.';
comment on column exercise_day.daily_steps             is 'Steps, by the document of the day. NULL: not sent (watches of today do not).';
comment on column exercise_day.weekly_ts               is 'Event time of the sample whose document of the week is kept here. NULL: none came, or none with data of this day.';
comment on column exercise_day.weekly_strength_minutes is 'Minutes at medium or high intensity, by the document of the week. NULL: not sent.';
comment on column exercise_day.weekly_active_hours     is 'Hours with activity, by the document of the week. NULL: not sent.';
comment on column exercise_day.weekly_steps            is 'Steps, by the document of the week. NULL: not sent.';
comment on column exercise_day.received_at             is 'When the service took the upload that last changed the row.';
comment on column exercise_day.batch_id                is 'Transaction that last wrote the row (txid_current()).';

create table workout_type (
    workout_type integer not null,
    name         text    not null,
    constraint workout_type_pkey primary key (workout_type)
);

comment on table workout_type is 'Names of the workout types. A DBA may add one or change its words; no row of workout depends on it.';
comment on column workout_type.workout_type is 'Code as devices send it.';
comment on column workout_type.name         is 'What it means, in English.';

insert into workout_type (workout_type, name) values
    (0, 'unset'), (1, 'outdoor run'), (2, 'outdoor walk'), (3, 'outdoor cycle'), (4, 'climb'), (5, 'indoor run'),
    (6, 'pool swim'), (7, 'indoor cycle'), (8, 'open water'), (9, 'free training'), (10, 'hike'), (11, 'trail run'),
    (12, 'triathlon'), (13, 'rower'), (14, 'elliptical'), (15, 'indoor walk'), (16, 'smart bike'),
    (17, 'triathlon transition'), (18, 'cross-country ski'), (19, 'ski'), (20, 'snowboard'), (21, 'golf range'),
    (101, 'yoga'), (102, 'aerobics'), (103, 'strength'), (104, 'spinning'), (105, 'stepper'), (106, 'walker'),
    (107, 'HIIT'), (108, 'group class'), (109, 'pilates'), (110, 'CrossFit'), (111, 'functional'), (112, 'conditioning');

create table workout (
    device_sn    text collate "C" not null,
    start_ts     timestamptz not null,
    end_ts       timestamptz not null,
    workout_type integer,
    calorie      numeric,
    distance     numeric,
    record_id    text,
    customer_id  bigint,
    org_id       bigint,
    user_id      bigint,
    ts           timestamptz not null,
    received_at  timestamptz not null,
    batch_id     bigint      not null default txid_current(),
    -- What begins at the same instant on the same wrist is the same workout, sent again when it had gone on.
    constraint workout_key unique nulls not distinct (device_sn, start_ts, workout_type),
    constraint workout_span_check check (start_ts < end_ts)
);
create index workout_start_ts_idx on workout (start_ts);

comment on table workout is 'Workouts: one row per device, start and type. Sent again with other figures, the larger ones hold, in whatever order they come.';
comment on column workout.device_sn    is 'Serial number of the device.';
comment on column workout.start_ts     is 'Start of the workout.';
comment on column workout.end_ts       is 'End of the workout; the latest that was sent.';
comment on column workout.workout_type is 'Type as sent; workout_type has the names. NULL: not sent.';
comment on column workout.calorie      is 'Energy as sent, in the unit of the device (small calories in samples; documents name none); the largest that was sent. NULL: not sent.';
comment on column workout.distance     is 'Distance, metres; the largest that was sent. NULL: not sent.';
comment on column workout.record_id    is 'The device''s own number of the workout. NULL: not sent.';
comment on column workout.customer_id  is 'Tenant, 64 bit. NULL: not known.';
comment on column workout.org_id       is 'Organisation unit, 64 bit. NULL: not known.';
comment on column workout.user_id      is 'Wearer, 64 bit. NULL: not known.';
comment on column workout.ts           is 'Event time of the sample by which it came first.';
comment on column workout.received_at  is 'When the service took that upload.';
comment on column workout.batch_id     is 'Transaction that last wrote the row (txid_current()).';

-- Segments at most two hours apart are one sleep, naps like nights, and a sleep belongs to the day on which it ends: the
-- part before midnight goes with the morning, and a nap at noon counts to the same day as the night before it.
-- A device and a day are looked up by index, with the two days on either side: all of a sleep that ends on the day lies
-- there, unless somebody slept for more than two days.
create view sleep_night as
select
    known.device_sn,
    known.end_day as night,
    merged.start_ts,
    merged.end_ts,
    ending.sleeps,
    merged.segments,
    (select coalesce(sum(extract(epoch from upper(r) - lower(r))), 0) / 3600 from unnest(light - deep) as r) as light_hours,
    (select coalesce(sum(extract(epoch from upper(r) - lower(r))), 0) / 3600 from unnest(deep) as r) as deep_hours,
    (select coalesce(sum(extract(epoch from upper(r) - lower(r))), 0) / 3600 from unnest(slept - light - deep) as r) as unknown_hours,
    (select coalesce(sum(extract(epoch from upper(r) - lower(r))), 0) / 3600 from unnest(slept) as r) as total_hours,
    round(merged.plain_seconds / 3600, 2) as legacy_hours,
    merged.customer_id,
    merged.org_id,
    merged.user_id
from (
    select device_sn, end_day, array_agg(distinct end_ts) as ends
    from sleep_segment
    group by device_sn, end_day
) as known
cross join lateral (
    -- The sleeps that end on the day, two hours added to each end: so ranges that are close enough touch and are merged.
    select range_agg(sleep.span) as spans, count(*)::integer as sleeps
    from (
        select unnest(range_agg(tstzrange(start_ts, end_ts + interval '2 hours'))) as span
        from sleep_segment
        where device_sn = known.device_sn and end_day between known.end_day - 2 and known.end_day + 2
    ) as sleep
    where upper(sleep.span) - interval '2 hours' = any (known.ends)
) as ending
cross join lateral (
    select
        min(start_ts) as start_ts,
        max(end_ts) as end_ts,
        count(*)::integer as segments,
        range_agg(tstzrange(start_ts, end_ts)) as slept,
        coalesce(range_agg(tstzrange(start_ts, end_ts)) filter (where stage = 'light'), '{}') as light,
        coalesce(range_agg(tstzrange(start_ts, end_ts)) filter (where stage = 'deep'), '{}') as deep,
        sum(extract(epoch from end_ts - start_ts)) as plain_seconds,
        last(customer_id, end_ts) filter (where customer_id is not null) as customer_id,
        last(org_id, end_ts) filter (where org_id is not null) as org_id,
        last(user_id, end_ts) filter (where user_id is not null) as user_id
    from sleep_segment
    where device_sn = known.device_sn and end_day between known.end_day - 2 and known.end_day
        and ending.spans @> start_ts
) as merged
where ending.sleeps > 0;

comment on view sleep_night is 'Sleep, one row per device and local day on which a sleep ended, in the zone of the rollups.';
comment on column sleep_night.device_sn     is 'Serial number of the device.';
comment on column sleep_night.night         is 'Local day on which the sleep ended. Segments at most two hours apart are one sleep; a day may hold a night and naps.';
comment on column sleep_night.start_ts      is 'When the first of them began.';
comment on column sleep_night.end_ts        is 'When the last of them ended.';
comment on column sleep_night.sleeps        is 'Sleeps that ended on the day.';
comment on column sleep_night.segments      is 'Segments they are made of.';
comment on column sleep_night.light_hours   is 'Hours of light sleep, each instant once; what is also told as deep counts as deep.';
comment on column sleep_night.deep_hours    is 'Hours of deep sleep, each instant once.';
comment on column sleep_night.unknown_hours is 'Hours of sleep told as neither light nor deep, each instant once.';
comment on column sleep_night.total_hours   is 'Hours of sleep, each instant once: light + deep + unknown.';
comment on column sleep_night.legacy_hours  is 'The figure of the ljwx server: plain sum of all segments, overlaps counted twice, hours rounded to 2 decimals.';
comment on column sleep_night.customer_id   is 'Tenant by the last segment that names one. NULL: none does.';
comment on column sleep_night.org_id        is 'Organisation unit by the last segment that names one. NULL: none does.';
comment on column sleep_night.user_id       is 'Wearer by the last segment that names one. NULL: none does.';

create view sleep_week as
select
    known.device_sn,
    known.week,
    nights.*
from (
    select device_sn, date_trunc('week', end_day::timestamp)::date as week
    from sleep_segment
    group by device_sn, date_trunc('week', end_day::timestamp)::date
) as known
cross join lateral (
    select
        count(*)::integer as nights,
        sum(light_hours) as light_hours,
        sum(deep_hours) as deep_hours,
        sum(unknown_hours) as unknown_hours,
        sum(total_hours) as total_hours,
        sum(legacy_hours) as legacy_hours,
        last(customer_id, night) filter (where customer_id is not null) as customer_id,
        last(org_id, night) filter (where org_id is not null) as org_id,
        last(user_id, night) filter (where user_id is not null) as user_id
    from sleep_night
    where device_sn = known.device_sn and night between known.week and known.week + 6
) as nights
where nights.nights > 0;

comment on view sleep_week is 'Sleep, one row per device and ISO week: the sum of its days in sleep_night.';
comment on column sleep_week.device_sn     is 'Serial number of the device.';
comment on column sleep_week.week          is 'Monday of the week.';
comment on column sleep_week.nights        is 'Days of the week on which a sleep ended.';
comment on column sleep_week.light_hours   is 'Hours of light sleep.';
comment on column sleep_week.deep_hours    is 'Hours of deep sleep.';
comment on column sleep_week.unknown_hours is 'Hours of sleep told as neither.';
comment on column sleep_week.total_hours   is 'Hours of sleep; divided by nights, the mean.';
comment on column sleep_week.legacy_hours  is 'Sum of the legacy figures of its days.';
comment on column sleep_week.customer_id   is 'Tenant by the last day that names one. NULL: none does.';
comment on column sleep_week.org_id        is 'Organisation unit by the last day that names one. NULL: none does.';
comment on column sleep_week.user_id       is 'Wearer by the last day that names one. NULL: none does.';

create view exercise_week as
select
    device_sn,
    date_trunc('week', day::timestamp)::date as week,
    count(*)::integer as days,
    sum(strength_minutes) as strength_minutes,
    sum(active_hours) as active_hours,
    sum(steps) as steps,
    last(customer_id, day) filter (where customer_id is not null) as customer_id,
    last(org_id, day) filter (where org_id is not null) as org_id,
    last(user_id, day) filter (where user_id is not null) as user_id
from exercise_day
group by device_sn, date_trunc('week', day::timestamp)::date;

comment on view exercise_week is 'Exercise, one row per device and ISO week: the sum of its days in exercise_day.';
comment on column exercise_week.device_sn        is 'Serial number of the device.';
comment on column exercise_week.week             is 'Monday of the week.';
comment on column exercise_week.days             is 'Days of the week with data.';
comment on column exercise_week.strength_minutes is 'Minutes at medium or high intensity. NULL: not sent.';
comment on column exercise_week.active_hours     is 'Hours with activity. NULL: not sent.';
comment on column exercise_week.steps            is 'Steps. NULL: not sent.';
comment on column exercise_week.customer_id      is 'Tenant by the last day that names one. NULL: none does.';
comment on column exercise_week.org_id           is 'Organisation unit by the last day that names one. NULL: none does.';
comment on column exercise_week.user_id          is 'Wearer by the last day that names one. NULL: none does.';

create view workout_named as
select
    w.device_sn,
    (w.start_ts at time zone (select time_zone from vitals.rollup where name = 'health_daily'))::date as day,
    w.start_ts,
    w.end_ts,
    w.workout_type,
    coalesce(t.name, 'unknown') as workout_name,
    extract(epoch from w.end_ts - w.start_ts) / 60 as minutes,
    w.calorie,
    w.distance,
    w.record_id,
    w.customer_id,
    w.org_id,
    w.user_id
from workout as w
left join workout_type as t on t.workout_type = w.workout_type;

comment on view workout_named is 'Workouts with the name of their type and their local day.';
comment on column workout_named.device_sn    is 'Serial number of the device.';
comment on column workout_named.day          is 'Local day on which it began, in the zone of the rollups. To choose by time, start_ts is quicker.';
comment on column workout_named.start_ts     is 'Start of the workout.';
comment on column workout_named.end_ts       is 'End of the workout.';
comment on column workout_named.workout_type is 'Type as sent. NULL: not sent.';
comment on column workout_named.workout_name is 'What the type means; unknown, where workout_type has no name for it.';
comment on column workout_named.minutes      is 'Minutes from start to end.';
comment on column workout_named.calorie      is 'Energy as sent, see workout.calorie. NULL: not sent.';
comment on column workout_named.distance     is 'Distance, metres. NULL: not sent.';
comment on column workout_named.record_id    is 'The device''s own number of the workout. NULL: not sent.';
comment on column workout_named.customer_id  is 'Tenant, 64 bit. NULL: not known.';
comment on column workout_named.org_id       is 'Organisation unit, 64 bit. NULL: not known.';
comment on column workout_named.user_id      is 'Wearer, 64 bit. NULL: not known.';
