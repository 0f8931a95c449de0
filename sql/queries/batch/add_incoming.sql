-- batch.add_incoming
-- Purpose: inserts a few rows into pg_temp.incoming in one round trip; COPY needs two.
-- Parameters: arrays of the same length, the columns of pg_temp.incoming in their order.
-- Locks: none that other sessions see.
insert into pg_temp.incoming
select * from unnest(
    $1::text[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],
    -- generated: parameters from $8
    $8::smallint[], $9::smallint[], $10::numeric[], $11::smallint[], $12::smallint[], $13::smallint[],
    $14::integer[], $15::numeric[], $16::numeric[], $17::double precision[], $18::double precision[],
    $19::double precision[], $20::numeric[], $21::numeric[], $22::numeric[], $23::numeric[]
    -- end
)
