-- batch.confirm
-- Purpose: a write that leaves nothing behind and whose commit waits for the synchronous standby, if there is one, as that of a
-- batch does: behind it in the log, so that where this one is, the batch is.
-- Locks: none.
select pg_logical_emit_message(true, 'vitals', 'confirm')
