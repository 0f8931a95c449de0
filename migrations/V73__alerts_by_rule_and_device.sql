-- One index finds the alerts of a rule, and those of a rule and a device. Of two, the planner took the one of the rule where it did not know
-- better (statistics of a new table), and read all alerts of the rule for each device.
-- Phase: expand
-- Transaction: none
-- Locks: none that a writer waits for.

create index concurrently if not exists alert_rule_device_idx on public.alert (rule_id, device_sn, started_ts desc);

drop index concurrently if exists public.alert_rule_id_idx;

drop index concurrently if exists public.alert_pair_idx;
