-- The rules for warnings of watches that came with the program name the unit of the value, in both languages, where nobody changed the text;
-- messages may name the room.
-- Locks: alert_rule and alert_rule_text against other writers, until commit.

comment on column alert_rule.message is
    'Text of the notification. Placeholders: {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer} {wearer} (names of the person and of the unit, if the directory has them, and the serial) {room}.';

-- The check is a function that is replaced after the migrations: the one that is there may be of an older version.
alter table alert_rule disable trigger alert_rule_check;

do $$
declare
    -- Where no rule ever raised an alert, as in a new database, the text is that of the version there is.
    is_used constant boolean := exists (select from alert);
    seeded  record;
    own     alert_rule;
    texts   alert_rule_text[];
begin
    for seeded in
        select
            '{wearer}: the watch warns of a ' || s.what || ' ({value}) at {time}' as message,
            '{wearer}: the watch warns of a ' || s.what || ' ({value}' || s.unit || ') at {time}' as with_unit,
            '{wearer}:手表预警' || s.zh || '({value}),{time}' as zh,
            '{wearer}:手表预警' || s.zh || '({value}' || s.zh_unit || '),{time}' as zh_with_unit
        from (values
            ('high heart rate', '/min', '心率过高', ' 次/分'),
            ('low heart rate', '/min', '心率过低', ' 次/分'),
            ('low oxygen saturation', ' %', '血氧过低', '%'),
            ('high body temperature', ' °C', '体温过高', ' ℃'),
            ('low body temperature', ' °C', '体温过低', ' ℃'),
            ('high blood pressure', ' mmHg', '血压过高', ' mmHg'),
            ('low blood pressure', ' mmHg', '血压过低', ' mmHg')
        ) as s (what, unit, zh, zh_unit)
    loop
        for own in select * from alert_rule r where r.message = seeded.message and r.customer_id is null loop
            texts := array(select t from alert_rule_text t where t.rule_id = own.rule_id);
            update alert_rule r
            set message = seeded.with_unit,
                version = r.version + case when is_used then 1 else 0 end,
                changed_at = case when is_used then now() else r.changed_at end,
                changed_by = case when is_used then 'vitals migrate' else r.changed_by end
            where r.rule_id = own.rule_id;
            -- A changed text removes its translations; these say the same but for the unit.
            insert into alert_rule_text (rule_id, language, name, message)
            select t.rule_id, t.language, t.name, case t.message when seeded.zh then seeded.zh_with_unit else t.message end
            from unnest(texts) as t
            on conflict do nothing;
        end loop;
    end loop;
end
$$;

update alert_rule_version v
set rule = to_jsonb(r)
from alert_rule r
where r.rule_id = v.rule_id and r.version = v.version and v.rule ->> 'message' is distinct from r.message;

alter table alert_rule enable trigger alert_rule_check;
