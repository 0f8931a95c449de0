-- A mark has a number, so that a refresh knows which were there when it began, and the time at which it was made, so that it can be
-- told how long the oldest waits. The step of a refresh that took a whole day goes.
-- Locks: vitals.rollup_dirty whole, which is small, while it is written anew.
alter table vitals.rollup_dirty
    add column mark_id   bigint      generated always as identity,
    add column marked_at timestamptz not null default now();

comment on column vitals.rollup_dirty.mark_id   is 'Number of the mark, rising.';
comment on column vitals.rollup_dirty.marked_at is 'When what changed was reacted to.';

drop function if exists vitals.refresh_dirty_day(timestamptz);
