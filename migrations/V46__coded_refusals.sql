-- Refusals of alert rules get a code and arguments (vitals.refusal), so that the service can say them in the language of their
-- reader. The functions that now give JSON instead of a text are dropped here; sql/functions makes them after this file.
-- Locks: none.

drop function if exists vitals.alert_bounds_refusal(text, numeric, numeric, text, text, text);
drop function if exists vitals.alert_conditions_refusal(jsonb);
drop function if exists vitals.alert_rule_common_refusal(alert_rule);
drop function if exists vitals.alert_rule_kind_refusal(alert_rule);
drop function if exists vitals.alert_rule_replacement_refusal(alert_rule);

-- Until then, a migration that writes a rule is not refused.
create or replace function vitals.alert_rule_refusal(rule alert_rule) returns text
language sql stable
as $$ select null::text $$;
