-- alert.note
-- Purpose: a person adds a note to an alert; the function refuses what is not allowed.
-- Parameters: $1 number of the alert, $2 name of the person, $3 note (NULL: none), $4 key_id of the request
-- (NULL: none), for the history.
-- Locks: those of sql/functions/alerts/alert_actions.sql.
with caller as materialized (select set_config('vitals.key_id', coalesce($4::text, ''), true))
select vitals.note_alert($1, $2, $3) from caller
