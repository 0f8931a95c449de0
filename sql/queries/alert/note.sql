-- alert.note
-- Purpose: a person adds a note to an alert; the function refuses what is not allowed.
-- Parameters: $1 number of the alert, $2 name of the person, $3 note (NULL: none).
-- Locks: those of sql/functions/alerts/alert_actions.sql.
select vitals.note_alert($1, $2, $3)
