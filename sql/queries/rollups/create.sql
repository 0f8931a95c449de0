-- rollups.create
-- Purpose: creates one rollup in the way the edition needs.
-- Parameters: $1 name, $2 position, $3 source, $4 width, $5 time zone, $6 interval of its chunks, $7 definition.
-- Locks: new relations; health_data against writers while its triggers are added.
select vitals.create_rollup($1::text, $2::smallint, $3::text, $4::text::interval, $5::text, $6::text::interval, $7::text)
