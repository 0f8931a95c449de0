-- Enforces policy now, on both editions: drops chunks, deletes rows, compresses. One instance of the service calls it by the clock. On
-- the Community edition a job of TimescaleDB calls it too, so it happens even when no service runs, and even when no job runs.
-- Idempotent. A relation that cannot be processed does not delay the others; the reason is recorded in vitals.policy_run.
-- The steps run as the owner of the tables, whoever calls them: they do what policy says and nothing else, so the service needs no
-- right to drop or delete. Only vitals_service and vitals_dba may call them (sql/roles).

-- Drops the oldest chunk of a hypertable or rollup if that is allowed now; returns the number of dropped chunks. Each chunk has its own
-- transaction: readers lock one chunk after another, and a transaction with exclusive locks on several chunks could deadlock with a reader.
-- Locks: the advisory lock vitals.policy, until commit; the chunk, exclusively. It waits only a few seconds for readers of the chunk,
-- because every other query on the chunk waits behind it.
create or replace function vitals.drop_oldest_chunk(of_relation text) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
as $$
declare
    r          vitals.rollup;
    t          record;
    cutoff     record;
    oldest     text;
    oldest_end timestamptz;
    dropped    bigint;
begin
    perform vitals.refuse_foreign_functions();
    perform pg_advisory_xact_lock(hashtextextended('vitals.policy', 0));
    select * into t from vitals.policy_relations() as p where p.relation = of_relation;
    select * into cutoff from vitals.policy_cutoff(of_relation);
    select format('%I.%I', c.chunk_schema, c.chunk_name), c.range_end into oldest, oldest_end
    from timescaledb_information.chunks as c
    where c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
      and c.range_end <= cutoff.until and isfinite(cutoff.until)
    order by c.range_end
    limit 1;
    if oldest_end is null then
        return 0;
    end if;
    -- The order of a reader: first the chunk, then its indexes. drop_chunks locks the indexes first and could deadlock with a reader.
    execute format('lock table only %s in access exclusive mode', oldest);
    -- The chunk is recorded before it is dropped, even if no refresh has ever read it, so that refreshes know that its rows are gone.
    for r in select * from vitals.rollup where source = of_relation order by position loop
        perform vitals.gone_from_source(r, '-infinity', oldest_end);
    end loop;
    select count(*) into dropped
    from public.drop_chunks(
        case when t.kind = 'rollup' and vitals.edition() = 'community' then format('public.%I', of_relation)
            else format('%I.%I', t.schema_name, t.table_name) end::regclass,
        older_than => oldest_end
    );
    return dropped;
end
$$;
comment on function vitals.drop_oldest_chunk(text) is 'Drops the oldest chunk of a relation if it is old enough and rolled up; returns the number of dropped chunks.';

-- Deletes old rows of a plain table; returns their number.
-- Parameters: the relation; the most rows to delete.
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
comment on function vitals.delete_old_rows(text, integer) is 'Deletes old rows of a plain table, up to a limit; returns the number of deleted rows.';

-- Deletes the oldest rejects beyond keep_bytes; returns their number. The size of a reject is its stored text plus the overhead of a row.
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
    -- The table file also contains deleted rows, so it is never smaller than the live rows.
    if pg_table_size('public.rejected_upload') > most then
        delete from public.rejected_upload
        where rejected_upload_id in (select r.rejected_upload_id from vitals.excess_rejects(most) as r);
        get diagnostics deleted = row_count;
    end if;
    return deleted;
end
$$;
comment on function vitals.delete_excess_rejects() is 'Deletes the oldest rejects beyond policy.keep_bytes; returns their number.';

-- The rejects that do not fit into a number of bytes when the newest are kept.
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
comment on function vitals.excess_rejects(bigint) is 'The rejects that do not fit into a number of bytes when the newest are kept.';

-- Compresses the oldest chunk that is old enough and is not compressed, or of which late rows have decompressed a tenth; returns the
-- number of compressed chunks. Community edition only. TimescaleDB's own job does the same, and compresses again whatever was decompressed.
-- Locks: the chunk. It waits only a few seconds for readers of the chunk, because every other query on the chunk waits behind it.
create or replace function vitals.compress_oldest_chunk(of_relation text) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '3s'
as $$
declare
    -- Bit of _timescaledb_functions.chunk_status: some rows of a compressed chunk are not compressed.
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
comment on function vitals.compress_oldest_chunk(text) is 'Compresses the oldest chunk of a relation that is old enough and not fully compressed; returns the number of compressed chunks.';

-- Records what was done. Names in the procedure below are qualified, because a procedure that commits cannot set its search_path.
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
comment on function vitals.record_policy_run(text, bigint, bigint, bigint, text) is 'Records in vitals.policy_run what was done.';

revoke execute on function vitals.drop_oldest_chunk(text), vitals.delete_old_rows(text, integer), vitals.delete_excess_rejects(),
    vitals.compress_oldest_chunk(text), vitals.record_policy_run(text, bigint, bigint, bigint, text) from public;

-- Commits several times, so it cannot run inside a transaction.
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
                    held := 'a long query is reading it: it will be dropped next time';
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
                    -- TimescaleDB's own job is working on it.
                    part := 0;
                    held := 'another session is using its chunks: they will be compressed next time';
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
comment on procedure public.apply_policies() is 'Enforces policy now: drops what is old enough and rolled up, and compresses. Commits several times, so it cannot run inside a transaction.';
