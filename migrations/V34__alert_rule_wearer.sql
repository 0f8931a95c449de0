-- The rules that came with the program name the person and the unit where the directory knows them; where nobody changed the text.
-- Locks: alert_rule against other writers, until commit.

comment on column alert_rule.message is 'What people are told, with {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer} {wearer} (names of the person and of their unit, as far as the directory knows them, and the serial).';

-- The check is a function that is replaced after the migrations: the one that is there does not know {wearer} yet.
alter table alert_rule disable trigger alert_rule_check;

update alert_rule r
set message = replace(r.message, '{device_sn}', '{wearer}'),
    version = r.version + case when used.is_used then 1 else 0 end,
    changed_at = case when used.is_used then now() else r.changed_at end,
    changed_by = case when used.is_used then 'vitals migrate' else r.changed_by end
-- Where no rule ever raised anything, as in a new database, the text is that of the version there is.
from (select exists (select from alert) as is_used) as used, (values
    ('{device_sn}: heart rate {value}/min (normal {min} to {max}) at {time}'),
    ('{device_sn}: heart rate {value}/min (limits {min} and {max}) at {time}'),
    ('{device_sn}: oxygen saturation {value} % (below {min} %) at {time}'),
    ('{device_sn}: body temperature {value} °C (normal {min} to {max} °C) at {time}'),
    ('{device_sn}: SOS at {time}'),
    ('{device_sn}: alarm key pressed at {time}'),
    ('{device_sn}: fall detected at {time}'),
    ('{device_sn}: watch taken off at {time}'),
    ('{device_sn}: the watch warns of a high heart rate ({value}) at {time}'),
    ('{device_sn}: the watch warns of a low heart rate ({value}) at {time}'),
    ('{device_sn}: the watch warns of a low oxygen saturation ({value}) at {time}'),
    ('{device_sn}: the watch warns of high stress ({value}) at {time}'),
    ('{device_sn}: the watch warns of a high body temperature ({value}) at {time}'),
    ('{device_sn}: the watch warns of a low body temperature ({value}) at {time}'),
    ('{device_sn}: the watch warns of a high blood pressure ({value}) at {time}'),
    ('{device_sn}: the watch warns of a low blood pressure ({value}) at {time}'),
    ('{device_sn}: call at {time}'),
    ('{device_sn}: watch restarted at {time}'),
    ('{device_sn}: settings changed at {time}'),
    ('{device_sn}: double click at {time}')
) as seeded (message)
where r.message = seeded.message and r.customer_id is null;

update alert_rule_version v
set rule = to_jsonb(r)
from alert_rule r
where r.rule_id = v.rule_id and r.version = v.version and v.rule ->> 'message' is distinct from r.message;

alter table alert_rule enable trigger alert_rule_check;
