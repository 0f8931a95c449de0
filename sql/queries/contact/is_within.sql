-- contact.is_within
-- Purpose: whether a contact belongs to a tenant, and to an organisation unit or one of its sub-units. No such contact: false.
-- Parameters: $1 number of the contact; NULL for "any": $2 tenant, $3 organisation unit.
-- Locks: none.
select exists (select from contact where contact_id = $1) and vitals.is_contact_within($1, $2, $3) as is_within
