-- reads.notify_change
-- Purpose: notifies every instance that something was changed, so that no reader is shown the state before it. In a transaction of its
-- own, after the change was committed.
-- Locks: that of NOTIFY, until it is committed.
select pg_notify('vitals_change', '')
