-- Four more vital signs: respiratory rate, heart rate variability, blood glucose and skin temperature. The rollups get their columns
-- behind this file (store::rollups), as they look different in each edition of TimescaleDB; nothing is computed again.
-- Which metrics a rule may name is said by vitals.alert_rule_refusal, which knows every metric there is, and by no constraint besides.
-- Locks: health_data with its chunks, and alert_rule, whole, until commit; no row is read or written.
alter table health_data
    add column respiratory_rate numeric,
    add column heart_rate_variability numeric,
    add column blood_glucose numeric,
    add column skin_temperature numeric;

comment on column health_data.respiratory_rate is 'Respiratory rate, breaths per minute, as many decimals as sent. NULL: not measured.';
comment on column health_data.heart_rate_variability is 'Heart rate variability as RMSSD, milliseconds, as many decimals as sent. NULL: not measured.';
comment on column health_data.blood_glucose is 'Blood glucose, mmol/L, as many decimals as sent. NULL: not measured.';
comment on column health_data.skin_temperature is 'Skin temperature, degrees Celsius, as many decimals as sent. NULL: not measured.';

alter table alert_rule drop constraint alert_rule_metric_check;

-- They take the row instead of its columns now.
drop function if exists vitals.metric_value(text, smallint, smallint, numeric, smallint, smallint, smallint);
drop function if exists vitals.is_measured(text, text[], smallint, smallint, numeric, smallint, smallint, smallint);
