-- event_type.known
-- Purpose: the event types that have a severity of their own or a rule.
-- Parameters: none. Locks: none.
select event_type from event_type
union
select event_type from alert_rule where event_type is not null
