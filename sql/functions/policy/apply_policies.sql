-- Enforces policy now, on every edition: drops chunks, deletes rows, compresses. By the clock it is called by one instance of
-- the service, and on the Community edition by a job of TimescaleDB too, so that it happens where no service runs, and where no job
-- does.
-- Idempotent. A relation that cannot be processed does not hold up the others; the reason is in vitals.policy_run.
-- The steps run as the owner of the tables, whoever calls: they do what policy says and nothing else, so the service needs no
-- right to drop or delete. vitals_service and vitals_dba may call them (sql/roles), nobody else.

-- Drops the oldest chunk of a hypertable or rollup if it may go now; returns how many went. One in a transaction: readers lock
-- chunks one after the other, and whoever held several of them whole might wait crosswise with one.
-- Locks: vitals.policy against another one, until commit; the chunk it drops whole. Waits for readers of it no longer than a
-- few seconds, since everybody else waits behind it.
create or replace function vitals.drop_oldest_chunk(of_relation text) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
as $$
declare
    r       vitals.rollup;
    t       record;
    cutoff  record;
    oldest  text;
    ends    timestamptz;
    dropped bigint;
begin
    perform vitals.refuse_foreign_functions();
    perform pg_advisory_xact_lock(hashtextextended('vitals.policy', 0));
    select * into t from vitals.policy_relations() as p where p.relation = of_relation;
    select * into cutoff from vitals.policy_cutoff(of_relation);
    select format('%I.%I', c.chunk_schema, c.chunk_name), c.range_end into oldest, ends
    from timescaledb_information.chunks as c
    where c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
      and c.range_end <= cutoff.until and isfinite(cutoff.until)
    order by c.range_end
    limit 1;
    if ends is null then
        return 0;
    end if;
    -- As a reader does: first the chunk, then its indexes. drop_chunks begins with the indexes, and would wait crosswise.
    execute format('lock table only %s in access exclusive mode', oldest);
    -- What was there is put on record, also where no refresh has ever looked: so that it is known to be gone.
    for r in select * from vitals.rollup where source = of_relation order by position loop
        perform vitals.gone_from_source(r, '-infinity', ends);
    end loop;
    select count(*) into dropped
    from public.drop_chunks(
        case when t.kind = 'rollup' and vitals.edition() = 'community' then format('public.%I', of_relation)
            else format('%I.%I', t.schema_name, t.table_name) end::regclass,
        older_than => ends
    );
    return dropped;
end
$$;
comment on function vitals.drop_oldest_chunk(text) is 'Drops the oldest chunk of a relation if it is old enough and rolled up; how many went.';

-- Deletes at most so many old rows of a plain table; returns how many.
-- Locks: the rows.
create or replace function vitals.delete_old_rows(of_relation text, most integer) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    t       record;
    deleted bigint;
begin
    select * into t from vitals.policy_relations() as p where p.relation = of_relation;
    execute format(
        'delete from %1$I.%2$I where ctid = any (array(select ctid from %1$I.%2$I where %3$s limit $2 for update skip locked))',
        t.schema_name, t.table_name, t.older
    ) using (select now() - keep_for from public.policy where relation = of_relation), most;
    get diagnostics deleted = row_count;
    -- These changes were not published to Redis: the Redis view is rebuilt when Redis is back.
    if of_relation = 'vitals.alert_change' and deleted > 0 then
        update vitals.latest_view set generation = generation + 1;
    end if;
    return deleted;
end
$$;
comment on function vitals.delete_old_rows(text, integer) is 'Deletes old rows of a plain table, at most so many; how many.';

-- Deletes the oldest rejects beyond keep_bytes; returns how many. Counted is the text as it is stored, and what a row takes besides.
-- Locks: the rows.
create or replace function vitals.delete_excess_rejects() returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most    bigint := (select keep_bytes from public.policy where relation = 'rejected_upload');
    deleted bigint := 0;
begin
    -- The file holds what was deleted too: it is never smaller than what is there.
    if pg_table_size('public.rejected_upload') > most then
        delete from public.rejected_upload
        where rejected_upload_id in (select r.rejected_upload_id from vitals.excess_rejects(most) as r);
        get diagnostics deleted = row_count;
    end if;
    return deleted;
end
$$;
comment on function vitals.delete_excess_rejects() is 'Deletes the oldest rejects beyond policy.keep_bytes; how many.';

-- The rejects beyond so many bytes, the newest first.
create or replace function vitals.excess_rejects(most bigint) returns table (rejected_upload_id bigint, bytes bigint)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select sized.rejected_upload_id, sized.bytes
    from (
        select
            r.rejected_upload_id, 200 + pg_column_size(r.body)::bigint as bytes,
            sum(200 + pg_column_size(r.body)) over (order by coalesce(r.last_received_at, r.received_at) desc, r.rejected_upload_id desc) as up_to
        from public.rejected_upload as r
    ) as sized
    where sized.up_to > most
$$;
comment on function vitals.excess_rejects(bigint) is 'The rejects beyond so many bytes.';

-- Compresses the oldest chunk that may be and is not, or that late rows have unpacked a tenth of; returns how many were. Community
-- edition only. TimescaleDB's own job does the same, and packs again whatever was unpacked.
-- Locks: the chunk. Waits for readers of it no longer than a few seconds, since everybody else waits behind it.
create or replace function vitals.compress_oldest_chunk(of_relation text) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
as $$
declare
    -- Of _timescaledb_functions.chunk_status: some rows of a compressed chunk are not.
    partial constant integer := 8;
    oldest  regclass;
begin
    perform vitals.refuse_foreign_functions();
    select n.chunk into oldest
    from public.policy as o
    join vitals.policy_relations() as t on t.relation = o.relation
    join timescaledb_information.chunks as c on c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
    cross join lateral (select format('%I.%I', c.chunk_schema, c.chunk_name)::regclass as chunk) as n
    where o.relation = of_relation and c.range_end <= now() - o.compress_after and case
        when not c.is_compressed then true
        when _timescaledb_functions.chunk_status(n.chunk) & partial = 0 then false
        else 10 * pg_relation_size(n.chunk) > (
            select z.uncompressed_heap_size from _timescaledb_catalog.compression_chunk_size as z
            where z.chunk_id = _timescaledb_functions.chunk_id_from_relid(n.chunk)
        )
    end
    order by c.range_end
    limit 1;
    if oldest is null then
        return 0;
    end if;
    perform public.compress_chunk(oldest, if_not_compressed => true);
    return 1;
end
$$;
comment on function vitals.compress_oldest_chunk(text) is 'Compresses the oldest chunk of a relation that is old enough and is not compressed, or no longer; how many were.';

-- Says what was done. Names are qualified throughout: a procedure that commits cannot carry a search_path.
create or replace function vitals.record_policy_run(of_relation text, dropped bigint, deleted bigint, compressed bigint, holds text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into vitals.policy_run as w (relation, applied_at, chunks_dropped, rows_deleted, chunks_compressed, held)
    values (of_relation, now(), dropped, deleted, compressed, holds)
    on conflict (relation) do update
    set applied_at = excluded.applied_at, chunks_dropped = excluded.chunks_dropped, rows_deleted = excluded.rows_deleted,
        chunks_compressed = excluded.chunks_compressed, held = excluded.held
$$;
comment on function vitals.record_policy_run(text, bigint, bigint, bigint, text) is 'Tells in vitals.policy_run what was done.';

revoke execute on function vitals.drop_oldest_chunk(text), vitals.delete_old_rows(text, integer), vitals.delete_excess_rejects(),
    vitals.compress_oldest_chunk(text), vitals.record_policy_run(text, bigint, bigint, bigint, text) from public;

-- Commits as it goes, so not inside a transaction.
create or replace procedure public.apply_policies()
language plpgsql
as $$
declare
    p          record;
    refusal    text := vitals.policy_refusal();
    dropped    bigint;
    deleted    bigint;
    compressed bigint;
    part       bigint;
    held       text;
begin
    if refusal is not null then
        raise exception 'policy: %', refusal using errcode = 'check_violation';
    end if;
    for p in
        select o.relation, o.keep_for, o.compress_after, o.keep_bytes, t.kind, t.schema_name, t.table_name
        from public.policy as o join vitals.policy_relations() as t on t.relation = o.relation
        where t.table_name is not null and (o.keep_for is not null or o.compress_after is not null or o.keep_bytes is not null)
        order by t.place
    loop
        dropped := 0;
        deleted := 0;
        compressed := 0;
        held := null;
        commit;
        if p.keep_for is not null and p.kind <> 'table' then
            loop
                begin
                    part := vitals.drop_oldest_chunk(p.relation);
                    held := vitals.retention_hold_reason(p.relation);
                exception when lock_not_available or deadlock_detected then
                    part := 0;
                    held := 'somebody has read it for long: it is dropped next time';
                end;
                commit;
                dropped := dropped + part;
                exit when part = 0;
            end loop;
        elsif p.keep_for is not null then
            loop
                part := vitals.delete_old_rows(p.relation, 10000);
                commit;
                deleted := deleted + part;
                exit when part < 10000;
            end loop;
        end if;
        if p.keep_bytes is not null then
            deleted := deleted + vitals.delete_excess_rejects();
            commit;
        end if;
        if p.compress_after is not null and vitals.edition() = 'community' then
            loop
                begin
                    part := vitals.compress_oldest_chunk(p.relation);
                exception when duplicate_object or object_not_in_prerequisite_state or lock_not_available
                    or deadlock_detected or undefined_table
                then
                    -- TimescaleDB's own job is at it, too.
                    part := 0;
                    held := 'somebody else is at its chunks: it is compressed next time';
                end;
                commit;
                compressed := compressed + part;
                exit when part = 0;
            end loop;
        end if;
        perform vitals.record_policy_run(p.relation, dropped, deleted, compressed, held);
        commit;
    end loop;
end
$$;
comment on procedure public.apply_policies() is 'Enforces policy now: drops what is old enough and rolled up, compresses. Commits as it goes.';
