-- alert.assign
-- Purpose: a person assigns an alert to a contact; the function refuses what is not allowed.
-- Parameters: $1 number of the alert, $2 number of the contact (NULL: to nobody), $3 name of the person, $4 note (NULL: none).
-- Locks: those of sql/functions/alerts/alert_actions.sql.
select vitals.assign_alert($1, $2, $3, $4)
