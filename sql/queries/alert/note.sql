-- alert.note
-- Purpose: a person says something about an alert; the refusals are those of the function.
-- Parameters: $1 number of the alert, $2 who, $3 note (NULL: none).
-- Locks: those of sql/functions/alerts/alert_actions.sql.
select vitals.note_alert($1, $2, $3)
