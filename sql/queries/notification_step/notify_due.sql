-- notification_step.notify_due
-- Purpose: does the steps that are due: adds the escalations and repeats of firing alerts. steps: how many it did.
-- Parameters: $1 most steps.
-- Locks: those of vitals.notify_due_steps.
select vitals.notify_due_steps($1) as steps
