-- alert.assign
-- Purpose: a person assigns an alert to a contact; the function refuses what is not allowed.
-- Parameters: $1 number of the alert, $2 number of the contact (NULL: to nobody), $3 name of the person, $4 note (NULL: none),
-- $5 key_id of the request (NULL: none), for the history.
-- Locks: those of sql/functions/alerts/alert_actions.sql.
with caller as materialized (select set_config('vitals.key_id', coalesce($5::text, ''), true))
select vitals.assign_alert($1, $2, $3, $4) from caller
