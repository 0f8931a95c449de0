-- batch.add_incoming
-- Purpose: a few rows into pg_temp.incoming, in one round trip where COPY takes two.
-- Parameters: arrays of one length, the columns of pg_temp.incoming in their order.
-- Locks: none that others see.
insert into pg_temp.incoming
select * from unnest(
    $1::text[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[],
    $8::smallint[], $9::numeric[], $10::smallint[], $11::smallint[], $12::smallint[], $13::integer[], $14::numeric[],
    $15::numeric[], $16::float8[], $17::float8[], $18::float8[], $19::text[]
)
