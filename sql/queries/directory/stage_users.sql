-- directory.stage_users
-- Purpose: creates the temporary table in which the lines of a file wait until they are checked and merged.
create temp table incoming (line bigint not null, user_id bigint not null, name text, org_id bigint, room text) on commit drop
