-- A key of one unit may have the scope `read`: what people and devices recorded is kept apart by unit (dashboard.use_unit).
-- Phase: expand
-- Locks: api_key exclusively, for a moment; its rows are read once.
alter table api_key
    drop constraint api_key_unit_check,
    add constraint api_key_unit_check check (org_id is null or customer_id is not null and scopes <@ '{read,respond}'::text[]);
comment on column api_key.org_id is 'Organisation unit of the key, with its sub-units: it sees only their people and devices, and sees and changes only their alerts. NULL: not limited to a unit.';
