-- What apply_policies() would do now, and what it would leave undone and why. `vitals policy plan` shows it.
-- Parameters: none. Locks: none. Old rows of plain tables are counted; rows of chunks are estimated.
create or replace function vitals.plan_policies()
returns table (relation text, action text, until timestamptz, chunks bigint, rows bigint, bytes bigint, note text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    p      record;
    cutoff record;
    width  numeric;
begin
    for p in
        select o.relation, o.keep_for, o.compress_after, o.keep_bytes, t.kind, t.schema_name, t.table_name, t.older
        from public.policy as o join vitals.policy_relations() as t on t.relation = o.relation
        where t.table_name is not null
        order by t.place
    loop
        relation := p.relation;
        if p.keep_for is not null and p.kind <> 'table' then
            action := 'drop';
            until := (select c.until from vitals.policy_cutoff(p.relation) as c);
            note := vitals.retention_hold_reason(p.relation);
            select count(*), coalesce(sum(c.rows), 0), coalesce(sum(c.bytes), 0) into chunks, rows, bytes
            from vitals.policy_chunks(p.schema_name, p.table_name) as c where c.range_end <= plan_policies.until;
            return next;
        elsif p.keep_for is not null then
            action := 'delete';
            until := now() - p.keep_for;
            chunks := null;
            note := null;
            execute format('select count(*) from %I.%I where %s', p.schema_name, p.table_name, p.older) into rows using until;
            select pg_total_relation_size(c.oid) / greatest(c.reltuples, rows, 1) into width
            from pg_class as c where c.oid = format('%I.%I', p.schema_name, p.table_name)::regclass;
            bytes := rows * width;
            return next;
        end if;
        if p.keep_bytes is not null then
            action := 'delete';
            until := null;
            chunks := null;
            note := format('beyond keep_bytes = %s', p.keep_bytes);
            select count(*), coalesce(sum(r.bytes), 0) into rows, bytes from vitals.excess_rejects(p.keep_bytes) as r;
            if rows > 0 then
                return next;
            end if;
        end if;
        if p.compress_after is not null then
            action := 'compress';
            until := now() - p.compress_after;
            note := case when vitals.edition() <> 'community'
                then 'the Apache edition of TimescaleDB cannot compress: it stays uncompressed' end;
            select count(*), coalesce(sum(c.rows), 0), coalesce(sum(c.bytes), 0) into chunks, rows, bytes
            from vitals.policy_chunks(p.schema_name, p.table_name) as c
            where c.range_end <= plan_policies.until and not c.compressed;
            return next;
        end if;
    end loop;
end
$$;
comment on function vitals.plan_policies() is 'What apply_policies() would do now: chunks, rows (estimated for chunks), bytes; note: what it would leave undone, and why.';
