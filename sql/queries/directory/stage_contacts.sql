-- directory.stage_contacts
-- Purpose: where the lines of a file wait until they are checked and merged.
create temp table incoming (
    line bigint not null, name text not null, channel text, address text, language text, user_id bigint, org_id bigint
) on commit drop
