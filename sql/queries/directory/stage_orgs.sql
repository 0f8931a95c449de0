-- directory.stage_orgs
-- Purpose: creates the temporary table in which the lines of a file wait until they are checked and merged.
create temp table incoming (line bigint not null, org_id bigint not null, name text, ancestors bigint[] not null) on commit drop
