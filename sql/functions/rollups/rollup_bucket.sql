-- The start and the end of the bucket that contains an instant, by the same arithmetic as time_bucket in sql/rollups.
-- The end is computed in local time: a local day may have 23 or 25 hours, and may begin at 01:00.
-- Parameters: width of the bucket, its zone, the instant. Locks: none.
create or replace function vitals.bucket_start(width interval, zone text, instant timestamptz) returns timestamptz
language sql
immutable strict parallel safe
as $$
    select case
        when pg_catalog.isfinite(instant) then public.time_bucket(width, instant, zone, null::timestamptz, null::interval)
        else instant
    end
$$;
comment on function vitals.bucket_start(interval, text, timestamptz) is 'Start of the bucket that contains the instant.';

create or replace function vitals.bucket_end(width interval, zone text, instant timestamptz) returns timestamptz
language sql
immutable strict parallel safe
as $$
    select case
        when pg_catalog.isfinite(instant)
            then (public.time_bucket(width, instant at time zone zone) + width) at time zone zone
        else instant
    end
$$;
comment on function vitals.bucket_end(interval, text, timestamptz) is 'End (exclusive) of the bucket that contains the instant.';
