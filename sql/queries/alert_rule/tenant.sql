-- alert_rule.tenant
-- Purpose: the tenant within which a rule with this scope holds (NULL: it is for everybody, or the directory does not know for whom).
-- Parameters, NULL for "not named": $1 tenant, $2 organisation unit, $3 wearer, $4 device.
-- Locks: none.
select vitals.tenant_of_rule($1, $2, $3, $4) as customer_id
