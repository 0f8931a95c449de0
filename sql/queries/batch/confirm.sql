-- batch.confirm
-- Purpose: a write that leaves nothing behind. Like a batch, its commit waits for the synchronous standby, if there is one. It comes
-- after the batch in the write-ahead log, so a standby that has it also has the batch.
-- Locks: none.
select pg_logical_emit_message(true, 'vitals', 'confirm')
