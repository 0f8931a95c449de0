-- A rule, a device and an owner have one open alert.
-- Phase: expand
-- Transaction: none
-- Locks: none that a writer waits for.

create unique index concurrently if not exists alert_open_key
    on public.alert (device_sn, rule_id, customer_id, org_id, user_id) nulls not distinct where status <> 'resolved';
