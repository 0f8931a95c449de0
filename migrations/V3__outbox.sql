-- The outbox: one row per transaction that wrote health_data, deleted when the relay has reacted to it.
-- The row is the truth; NOTIFY vitals_outbox is a hint that it is worth looking.

create table outbox (
    batch_id     bigint      not null default txid_current(),
    first_ts     timestamptz,
    last_ts      timestamptz,
    rows         integer,
    created_at   timestamptz not null default clock_timestamp(),
    lease_token  uuid,
    leased_until timestamptz,
    attempts     smallint    not null default 0,
    constraint outbox_pkey primary key (batch_id),
    constraint outbox_range_check check ((first_ts is null) = (last_ts is null) and first_ts <= last_ts),
    constraint outbox_lease_check check ((lease_token is null) = (leased_until is null))
) with (
    -- A queue: rows live for milliseconds and are updated once (the lease), so leave room for that update
    -- on the page and let vacuum come by count, not by share.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

comment on table outbox is 'Committed transactions on health_data that were not reacted to yet. Deleting a row undoes nothing but the reaction.';
comment on column outbox.batch_id     is 'The writing transaction (txid_current()); equals health_data.batch_id of its rows.';
comment on column outbox.first_ts     is 'Oldest event time in the batch. NULL: a writer that did not say (see trigger health_data_outbox).';
comment on column outbox.last_ts      is 'Newest event time in the batch. NULL with first_ts.';
comment on column outbox.rows         is 'Rows the batch offered to health_data. NULL: not known.';
comment on column outbox.created_at   is 'When the writer said so, before its commit.';
comment on column outbox.lease_token  is 'Which relay is at work on it. NULL: nobody was yet.';
comment on column outbox.leased_until is 'When the lease ends and another relay may claim the row. NULL: nobody was at work on it yet.';
comment on column outbox.attempts     is 'How often it was claimed; from the third time on it is reacted to by itself.';

-- Which build of the Redis view of latest values is good. Redis remembers the build it holds; a reaction that could
-- not reach Redis raises the generation, in the transaction that deletes its outbox rows, so that no crash and no
-- second instance can forget what the view lacks.
create table vitals.latest_view (
    only_row   boolean not null default true,
    view_id    uuid    not null default gen_random_uuid(),
    generation bigint  not null default 1,
    constraint latest_view_pkey primary key (only_row),
    constraint latest_view_only_row_check check (only_row)
);
insert into vitals.latest_view default values;

comment on table vitals.latest_view is 'One row: which build of the Redis view of latest values is good. A Redis that holds another is rebuilt.';
comment on column vitals.latest_view.only_row   is 'Always true: there is one view.';
comment on column vitals.latest_view.view_id    is 'Tells the view of this database from that of another that used the same Redis.';
comment on column vitals.latest_view.generation is 'Raised when a reaction was finished without Redis.';

-- A plain statement trigger: one with a transition table would force COPY into row-at-a-time mode.
-- The service writes its own row, with a range, before its COPY; for it the insert finds a conflict and does nothing.
create function vitals.outbox_add() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    insert into public.outbox (batch_id) values (txid_current()) on conflict (batch_id) do nothing;
    return null;
end
$$;
comment on function vitals.outbox_add() is 'Statement trigger: announces a transaction that wrote health_data without saying so itself.';

create trigger health_data_outbox
    after insert on health_data
    for each statement execute function vitals.outbox_add();
