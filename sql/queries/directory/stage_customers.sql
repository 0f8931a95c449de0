-- directory.stage_customers
-- Purpose: creates the temporary table in which the lines of a file wait until they are checked and merged.
create temp table incoming (line bigint not null, customer_id bigint not null, name text not null) on commit drop
