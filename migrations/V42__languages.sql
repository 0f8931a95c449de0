-- Texts for people in their language: the language of a contact, and the texts of a rule in further languages.
-- Locks: contact, alert and alert_rule, for a moment (columns without a default, a trigger).

alter table contact
    add column language text,
    add constraint contact_language_check check (language in ('en', 'zh'));
comment on column contact.language is 'In which language they are notified: en (English) or zh (Chinese). NULL: in that of the service (setting language).';

create table alert_rule_text (
    rule_id  bigint not null,
    language text   not null,
    name     text   not null,
    message  text   not null,
    constraint alert_rule_text_pkey primary key (rule_id, language),
    constraint alert_rule_text_rule_id_fkey foreign key (rule_id) references alert_rule (rule_id) on delete cascade,
    constraint alert_rule_text_language_check check (language in ('en', 'zh')),
    constraint alert_rule_text_name_check check (name ~ '\S' and char_length(name) <= 200),
    constraint alert_rule_text_message_check check (message ~ '\S' and char_length(message) <= 1000)
);
comment on table alert_rule_text is 'The texts of a rule in further languages; without a row, its own. A rule whose own texts change loses these: they would say what it said before.';
comment on column alert_rule_text.rule_id  is 'The rule.';
comment on column alert_rule_text.language is 'en (English) or zh (Chinese).';
comment on column alert_rule_text.name     is 'What people call the rule.';
comment on column alert_rule_text.message  is 'What people are told, with the placeholders of alert_rule.message.';

alter table alert add column translations jsonb;
comment on column alert.translations is 'rule (what the rule is called) and message in further languages, by language, as of when it fired. NULL: the rule had none.';

create function vitals.alert_rule_texts_outdated() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
begin
    delete from alert_rule_text t where t.rule_id = new.rule_id;
    return null;
end
$$;
comment on function vitals.alert_rule_texts_outdated() is 'Row trigger: a rule whose own texts change has no translation any more.';
create trigger alert_rule_texts_outdated
    after update of name, message on alert_rule
    for each row when (old.name is distinct from new.name or old.message is distinct from new.message)
    execute function vitals.alert_rule_texts_outdated();

-- The rules that came with the program, where nobody changed their texts.
insert into alert_rule_text (rule_id, language, name, message)
select r.rule_id, 'zh', zh.name, zh.message
from (values
    ('Heart rate out of range', '{wearer}: heart rate {value}/min (normal {min} to {max}) at {time}',
     '心率异常', '{wearer}:心率 {value} 次/分(正常范围 {min}~{max}),{time}'),
    ('Heart rate far out of range', '{wearer}: heart rate {value}/min (limits {min} and {max}) at {time}',
     '心率严重异常', '{wearer}:心率 {value} 次/分(界限 {min}~{max}),{time}'),
    ('Oxygen saturation low', '{wearer}: oxygen saturation {value} % (below {min} %) at {time}',
     '血氧偏低', '{wearer}:血氧饱和度 {value}%(低于 {min}%),{time}'),
    ('Oxygen saturation very low', '{wearer}: oxygen saturation {value} % (below {min} %) at {time}',
     '血氧过低', '{wearer}:血氧饱和度 {value}%(低于 {min}%),{time}'),
    ('Body temperature out of range', '{wearer}: body temperature {value} °C (normal {min} to {max} °C) at {time}',
     '体温异常', '{wearer}:体温 {value} ℃(正常范围 {min}~{max} ℃),{time}'),
    ('SOS', '{wearer}: SOS at {time}', 'SOS 求救', '{wearer}:发出 SOS 求救,{time}'),
    ('One-key alarm', '{wearer}: alarm key pressed at {time}', '一键报警', '{wearer}:按下报警键,{time}'),
    ('Fall', '{wearer}: fall detected at {time}', '跌倒', '{wearer}:检测到跌倒,{time}'),
    ('Watch taken off', '{wearer}: watch taken off at {time}', '手表摘下', '{wearer}:手表已摘下,{time}'),
    ('Watch says: heart rate high', '{wearer}: the watch warns of a high heart rate ({value}) at {time}',
     '手表预警:心率过高', '{wearer}:手表预警心率过高({value}),{time}'),
    ('Watch says: heart rate low', '{wearer}: the watch warns of a low heart rate ({value}) at {time}',
     '手表预警:心率过低', '{wearer}:手表预警心率过低({value}),{time}'),
    ('Watch says: oxygen saturation low', '{wearer}: the watch warns of a low oxygen saturation ({value}) at {time}',
     '手表预警:血氧过低', '{wearer}:手表预警血氧过低({value}),{time}'),
    ('Watch says: stress high', '{wearer}: the watch warns of high stress ({value}) at {time}',
     '手表预警:压力过大', '{wearer}:手表预警压力过大({value}),{time}'),
    ('Watch says: temperature high', '{wearer}: the watch warns of a high body temperature ({value}) at {time}',
     '手表预警:体温过高', '{wearer}:手表预警体温过高({value}),{time}'),
    ('Watch says: temperature low', '{wearer}: the watch warns of a low body temperature ({value}) at {time}',
     '手表预警:体温过低', '{wearer}:手表预警体温过低({value}),{time}'),
    ('Watch says: pressure high', '{wearer}: the watch warns of a high blood pressure ({value}) at {time}',
     '手表预警:血压过高', '{wearer}:手表预警血压过高({value}),{time}'),
    ('Watch says: pressure low', '{wearer}: the watch warns of a low blood pressure ({value}) at {time}',
     '手表预警:血压过低', '{wearer}:手表预警血压过低({value}),{time}'),
    ('Call', '{wearer}: call at {time}', '通话', '{wearer}:通话状态变化,{time}'),
    ('Watch restarted', '{wearer}: watch restarted at {time}', '手表重启', '{wearer}:手表已重启,{time}'),
    ('Settings changed', '{wearer}: settings changed at {time}', '设置变更', '{wearer}:手表设置已变更,{time}'),
    ('Double click', '{wearer}: double click at {time}', '双击', '{wearer}:双击手表,{time}')
) as zh (seeded_name, seeded_message, name, message)
join alert_rule r on r.name = zh.seeded_name and r.message = zh.seeded_message and r.customer_id is null;
