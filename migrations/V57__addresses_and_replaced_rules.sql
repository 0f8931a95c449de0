-- Addresses of contacts have numbers, by which they are changed and removed over HTTP and on the command line, where most of them are not
-- shown. A rule that others replace is no longer deleted together with them. Messages of new rules name the wearer.
-- Locks: contact_address, which is written once (one row per address), and alert_rule, until commit.

alter table contact_address
    add column address_id bigint generated always as identity,
    add constraint contact_address_address_id_key unique (address_id);
comment on column contact_address.address_id is 'Number of the address.';

alter table alert_rule
    drop constraint alert_rule_replaces_rule_id_fkey,
    add constraint alert_rule_replaces_rule_id_fkey foreign key (replaces_rule_id) references alert_rule (rule_id),
    alter column message set default '{wearer}: {rule}, {value}';

drop function if exists vitals.is_contact_of_tenant(bigint, bigint);
