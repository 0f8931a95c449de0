-- Where the bucket of an instant begins, and where it ends; the same arithmetic as time_bucket in sql/rollups.
-- The end is found in local time: a day of a zone may have 23 or 25 hours, and may begin at 01:00.
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
comment on function vitals.bucket_start(interval, text, timestamptz) is 'Start of the bucket that holds the instant.';

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
comment on function vitals.bucket_end(interval, text, timestamptz) is 'End (exclusive) of the bucket that holds the instant.';
