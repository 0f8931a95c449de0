-- Why a rule is invalid, for the person who wrote it; NULL: it is valid.
-- Called by the trigger of alert_rule, and for a rule that is only tried out. So it says everything that the constraints
-- of the table say, too, but in better words.
-- A refusal has a code and arguments, too: the service says it in the language of its reader (src/language/*.ftl has the codes).
-- Locks: none.

-- A refusal: {"code", "message", "arguments"}. An argument may be a refusal itself.
create or replace function vitals.refusal(code text, message text, arguments jsonb default '{}') returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
select jsonb_build_object('code', code, 'message', message, 'arguments', arguments)
$$;
comment on function vitals.refusal(text, text, jsonb) is 'A refusal: its code, its message in English, and what fills the message in.';

-- The bounds of a metric. The last three parameters name them as the writer of the rule does.
create or replace function vitals.alert_bounds_refusal(
    metric text, min numeric, max numeric, metric_name text, min_name text, max_name text
) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    stored constant numrange := vitals.metric_range(metric);
    known  text;
    -- The bound that is outside, if one is.
    bound  text := min_name;
    value  numeric := min;
begin
    if metric is null then
        return vitals.refusal('rule-column-missing', metric_name || ' is missing', jsonb_build_object('column', metric_name));
    elsif stored is null then
        select string_agg(m.name, ', ') into known from vitals.metric() as m where m.kind = 'vital sign';
        return vitals.refusal('rule-metric-unknown', format('%s "%s" is none that rules judge: %s', metric_name, metric, known),
            jsonb_build_object('column', metric_name, 'metric', metric, 'known', known));
    elsif min is null and max is null then
        return vitals.refusal('rule-bounds-missing', format('%s or %s is needed, nothing would breach it', min_name, max_name),
            jsonb_build_object('min_name', min_name, 'max_name', max_name));
    elsif not stored @> min or not stored @> max then
        if stored @> min is not false then
            bound := max_name;
            value := max;
        end if;
        return vitals.refusal('rule-bound-out-of-range',
            format('%s %s is outside what is ever stored of %s, %s to %s', bound, value, metric, lower(stored), upper(stored)),
            jsonb_build_object('column', bound, 'value', value, 'metric', metric, 'lowest', lower(stored), 'highest', upper(stored)));
    elsif min >= max then
        return vitals.refusal('rule-bounds-crossed', format('%s %s is not below %s %s', min_name, min, max_name, max),
            jsonb_build_object('min_name', min_name, 'min', min, 'max_name', max_name, 'max', max));
    end if;
    return null;
end
$$;
comment on function vitals.alert_bounds_refusal(text, numeric, numeric, text, text, text) is
    'Why bounds of a metric are impossible; NULL when they are not.';

create or replace function vitals.alert_conditions_refusal(conditions jsonb) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    place     bigint;
    condition jsonb;
    refusal   jsonb;
    others    text;
begin
    if conditions is null or jsonb_typeof(conditions) <> 'array' or jsonb_array_length(conditions) not between 1 and 10 then
        return vitals.refusal('rule-conditions-no-array',
            'conditions has to be an array of 1 to 10 objects {metric, min, max, duration_seconds}');
    end if;
    for place, condition in
        select item.ordinality, item.value from jsonb_array_elements(conditions) with ordinality as item
    loop
        if jsonb_typeof(condition) = 'object' then
            select string_agg(quote_ident(name), ', ') into others
            from jsonb_object_keys(condition - '{metric,min,max,duration_seconds}'::text[]) as name;
        end if;
        refusal := case
            when jsonb_typeof(condition) <> 'object' then vitals.refusal('rule-condition-no-object', 'it is no object')
            when others is not null then vitals.refusal('rule-condition-fields',
                format('it knows metric, min, max, duration_seconds, but not %s', others), jsonb_build_object('others', others))
            when jsonb_typeof(condition -> 'metric') is distinct from 'string'
                then vitals.refusal('rule-condition-metric', 'metric is missing, or no text')
            when coalesce(jsonb_typeof(condition -> 'min'), 'null') not in ('number', 'null')
                then vitals.refusal('rule-condition-no-number', 'min is no number', jsonb_build_object('field', 'min'))
            when coalesce(jsonb_typeof(condition -> 'max'), 'null') not in ('number', 'null')
                then vitals.refusal('rule-condition-no-number', 'max is no number', jsonb_build_object('field', 'max'))
            when coalesce(jsonb_typeof(condition -> 'duration_seconds'), 'null') not in ('number', 'null')
                then vitals.refusal('rule-condition-no-number', 'duration_seconds is no number',
                    jsonb_build_object('field', 'duration_seconds'))
            when (condition ->> 'duration_seconds')::numeric not between 0 and 86400
                or (condition ->> 'duration_seconds')::numeric % 1 <> 0
                then vitals.refusal('rule-condition-duration', 'duration_seconds has to be a whole number from 0 to 86400')
            else vitals.alert_bounds_refusal(
                condition ->> 'metric', (condition ->> 'min')::numeric, (condition ->> 'max')::numeric, 'metric', 'min', 'max')
        end;
        if refusal is not null then
            return vitals.refusal('rule-condition', format('condition %s: %s', place, refusal ->> 'message'),
                jsonb_build_object('place', place, 'reason', refusal));
        end if;
    end loop;
    return null;
end
$$;
comment on function vitals.alert_conditions_refusal(jsonb) is
    'Why the conditions of a composite rule are impossible; NULL when they are not.';

-- The levels of a rule: each graver than the one before, and at or outside its bounds. The first one comes after the rule itself.
create or replace function vitals.alert_levels_refusal(rule alert_rule) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    before_severity text := rule.severity;
    before_min      numeric := rule.min_value;
    before_max      numeric := rule.max_value;
    place           bigint;
    level           jsonb;
    level_min       numeric;
    level_max       numeric;
    others          text;
    refusal         jsonb;
begin
    if rule.levels is null then
        return null;
    end if;
    if jsonb_typeof(rule.levels) <> 'array' or jsonb_array_length(rule.levels) not between 1 and 3 then
        return vitals.refusal('rule-levels-no-array', 'levels has to be an array of 1 to 3 objects {severity, min, max}');
    end if;
    for place, level in
        select item.ordinality, item.value from jsonb_array_elements(rule.levels) with ordinality as item
    loop
        others := null;
        if jsonb_typeof(level) = 'object' then
            select string_agg(quote_ident(name), ', ') into others
            from jsonb_object_keys(level - '{severity,min,max}'::text[]) as name;
        end if;
        refusal := case
            when jsonb_typeof(level) <> 'object' then vitals.refusal('rule-level-no-object', 'it is no object')
            when others is not null then vitals.refusal('rule-level-fields',
                format('it knows severity, min, max, but not %s', others), jsonb_build_object('others', others))
            when coalesce(level ->> 'severity', '') not in ('critical', 'major', 'minor', 'info')
                then vitals.refusal('rule-severity-unknown', 'severity has to be critical, major, minor or info')
            when coalesce(jsonb_typeof(level -> 'min'), 'null') not in ('number', 'null')
                then vitals.refusal('rule-condition-no-number', 'min is no number', jsonb_build_object('field', 'min'))
            when coalesce(jsonb_typeof(level -> 'max'), 'null') not in ('number', 'null')
                then vitals.refusal('rule-condition-no-number', 'max is no number', jsonb_build_object('field', 'max'))
        end;
        if refusal is null then
            level_min := (level ->> 'min')::numeric;
            level_max := (level ->> 'max')::numeric;
            refusal := coalesce(
                vitals.alert_bounds_refusal(rule.metric, level_min, level_max, 'metric', 'min', 'max'),
                case
                    when vitals.severity_rank(level ->> 'severity') <= vitals.severity_rank(before_severity)
                        then vitals.refusal('rule-level-not-graver',
                            format('%s is not graver than %s, the level before', level ->> 'severity', before_severity),
                            jsonb_build_object('severity', level ->> 'severity', 'before', before_severity))
                    when level_min > before_min or level_min is not null and before_min is null
                        then vitals.refusal('rule-level-min-inside',
                            format('min %s is above that of the level before (%s): readings would reach it first',
                                level_min, coalesce(before_min::text, 'none')),
                            jsonb_build_object('min', level_min, 'before', coalesce(before_min::text, 'none')))
                    when level_max < before_max or level_max is not null and before_max is null
                        then vitals.refusal('rule-level-max-inside',
                            format('max %s is below that of the level before (%s): readings would reach it first',
                                level_max, coalesce(before_max::text, 'none')),
                            jsonb_build_object('max', level_max, 'before', coalesce(before_max::text, 'none')))
                    when (level_min, level_max) is not distinct from (before_min, before_max)
                        then vitals.refusal('rule-level-same', 'its bounds are those of the level before, which would never be seen')
                end
            );
        end if;
        if refusal is not null then
            return vitals.refusal('rule-level', format('level %s: %s', place, refusal ->> 'message'),
                jsonb_build_object('place', place, 'reason', refusal));
        end if;
        before_severity := level ->> 'severity';
        before_min := level_min;
        before_max := level_max;
    end loop;
    return null;
end
$$;
comment on function vitals.alert_levels_refusal(alert_rule) is 'Why the levels of a rule are impossible; NULL when they are not.';

-- pg_timezone_names would know, too, but reads every file of the system's zones and fails as a whole where one cannot be
-- read. PostgreSQL itself takes abbreviations (CST is one of several) and POSIX rules with the sign turned round: not here.
create or replace function vitals.is_time_zone(name text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform now() at time zone is_time_zone.name;
    return case
        when name in ('UTC', 'GMT') or name ~ '^Etc/GMT[+-]?\d{1,2}$' then true
        when name ~ '/' then name !~ '\d'
        else name ~ '^[A-Za-z_-]+$' and not exists (select from pg_timezone_abbrevs where abbrev = upper(is_time_zone.name))
    end;
exception
    when invalid_parameter_value then
        return false;
end
$$;
comment on function vitals.is_time_zone(text) is 'Whether a time zone of this name exists (IANA name). NULL: NULL.';

-- What has nothing to do with the kind.
create or replace function vitals.alert_rule_common_refusal(rule alert_rule) returns jsonb
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    known       constant text :=
        '{device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer} {wearer} {room}';
    refusal     jsonb;
    placeholder text;
begin
    select vitals.refusal('rule-column-out-of-range', format('%s has to be from %s to %s', bound.name, bound.lowest, bound.highest),
        jsonb_build_object('column', bound.name, 'lowest', bound.lowest, 'highest', bound.highest)) into refusal
    from (values
        ('consecutive',        rule.consecutive,        1,  100,      false),
        ('window_seconds',     rule.window_seconds,     1,  86400,    false),
        ('cooldown_seconds',   rule.cooldown_seconds,   0,  604800,   false),
        ('recovery_count',     rule.recovery_count,     1,  100,      false),
        ('expire_seconds',     rule.expire_seconds,     1,  31536000, true),
        ('late_after_seconds', rule.late_after_seconds, 0,  31536000, false),
        ('silent_seconds',     rule.silent_seconds,     60, 31536000, true)
    ) as bound (name, value, lowest, highest, may_lack)
    where case when bound.value is null then not may_lack else bound.value not between bound.lowest and bound.highest end
    limit 1;
    select found.name[1] into placeholder
    from regexp_matches(rule.message, '(\{[^{}]*\})', 'g') as found (name)
    where found.name[1] <> all (string_to_array(known, ' '))
    limit 1;
    return case
        when rule.name is null or rule.name !~ '\S' then vitals.refusal('rule-name-missing', 'it has no name')
        when char_length(rule.name) > 200 then vitals.refusal('rule-name-too-long', 'its name is longer than 200 characters')
        when rule.enabled is null then vitals.refusal('rule-enabled-missing', 'enabled is neither true nor false')
        when rule.severity is null or rule.severity not in ('critical', 'major', 'minor', 'info')
            then vitals.refusal('rule-severity-unknown', 'severity has to be critical, major, minor or info')
        when rule.customer_id <= 0 then vitals.refusal('rule-tenant-invalid', 'customer_id has to be the number of a tenant')
        when rule.org_id <= 0 then vitals.refusal('rule-unit-invalid', 'org_id has to be the number of an organisation unit')
        when rule.user_id <= 0 then vitals.refusal('rule-person-invalid', 'user_id has to be the number of a person')
        when octet_length(rule.device_sn) not between 1 and 64
            then vitals.refusal('rule-device-invalid', 'device_sn has to be a serial of 1 to 64 bytes')
        when num_nonnulls(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn) > 1
            then vitals.refusal('rule-scopes-several',
                'a rule has one scope at most: customer_id, org_id, user_id or device_sn')
        when refusal is not null then refusal
        when rule.consecutive - 1 > rule.window_seconds then vitals.refusal('rule-window-too-short',
            format('%s readings in a row do not fit into window_seconds %s', rule.consecutive, rule.window_seconds),
            jsonb_build_object('consecutive', rule.consecutive, 'window_seconds', rule.window_seconds))
        when (rule.effective_from is null) <> (rule.effective_until is null)
            then vitals.refusal('rule-hours-incomplete', 'effective_from and effective_until need each other')
        when rule.effective_from = rule.effective_until then vitals.refusal('rule-hours-empty',
            'effective_from and effective_until are the same; leave out both for the whole day')
        when rule.effective_days is not null and not (
            array_ndims(rule.effective_days) is not distinct from 1
            and cardinality(rule.effective_days) = (select count(distinct day) from unnest(rule.effective_days) as day)
            and 1 <= all (rule.effective_days) and 7 >= all (rule.effective_days)
        ) then vitals.refusal('rule-days-invalid',
            'effective_days has to be days of the week, 1 Monday to 7 Sunday, each once; leave it out for every day')
        when not vitals.is_time_zone(rule.time_zone) then vitals.refusal('rule-time-zone-unknown',
            format('there is no time zone "%s"', rule.time_zone), jsonb_build_object('time_zone', rule.time_zone))
        when rule.message is null or rule.message !~ '\S' then vitals.refusal('rule-message-missing', 'it has no message')
        when char_length(rule.message) > 1000
            then vitals.refusal('rule-message-too-long', 'its message is longer than 1000 characters')
        when placeholder is not null then vitals.refusal('rule-message-placeholder',
            format('the message knows no %s, but %s', placeholder, known),
            jsonb_build_object('placeholder', placeholder, 'known', known))
    end;
end
$$;
comment on function vitals.alert_rule_common_refusal(alert_rule) is
    'Why a rule of whatever kind is impossible; NULL when it is not.';

-- What the kind needs, and what means nothing to it.
create or replace function vitals.alert_rule_kind_refusal(rule alert_rule) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    foreign_columns text;
begin
    if rule.kind is null or rule.kind not in ('threshold', 'composite', 'event', 'silence') then
        return vitals.refusal('rule-kind-unknown', 'kind has to be threshold, composite, event or silence');
    end if;
    select string_agg(own.name, ', ') into foreign_columns
    from (values
        ('metric',             'threshold', rule.metric is not null),
        ('min_value',          'threshold', rule.min_value is not null),
        ('max_value',          'threshold', rule.max_value is not null),
        ('recovery_min_value', 'threshold', rule.recovery_min_value is not null),
        ('recovery_max_value', 'threshold', rule.recovery_max_value is not null),
        ('levels',             'threshold', rule.levels is not null),
        ('combine',            'composite', rule.combine is not null),
        ('conditions',         'composite', rule.conditions is not null),
        ('event_type',         'event',     rule.event_type is not null),
        ('event_values',       'event',     rule.event_values is not null),
        ('recovery_values',    'event',     rule.recovery_values is not null),
        ('silent_seconds',     'silence',   rule.silent_seconds is not null)
    ) as own (name, kind, is_set)
    where own.is_set and own.kind <> rule.kind;
    if foreign_columns is not null then
        return vitals.refusal('rule-column-foreign', format('%s means nothing to a rule of kind %s', foreign_columns, rule.kind),
            jsonb_build_object('columns', foreign_columns, 'kind', rule.kind));
    end if;
    return case rule.kind
        when 'threshold' then coalesce(
            vitals.alert_bounds_refusal(rule.metric, rule.min_value, rule.max_value, 'metric', 'min_value', 'max_value'),
            case
                when rule.recovery_min_value is not null and rule.min_value is null
                    then vitals.refusal('rule-column-needs', 'recovery_min_value needs min_value',
                        jsonb_build_object('column', 'recovery_min_value', 'needed', 'min_value'))
                when rule.recovery_max_value is not null and rule.max_value is null
                    then vitals.refusal('rule-column-needs', 'recovery_max_value needs max_value',
                        jsonb_build_object('column', 'recovery_max_value', 'needed', 'max_value'))
                when rule.recovery_min_value < rule.min_value then vitals.refusal('rule-recovery-below-min',
                    format('recovery_min_value %s is below min_value %s: it would recover while it breaches',
                        rule.recovery_min_value, rule.min_value),
                    jsonb_build_object('recovery', rule.recovery_min_value, 'min', rule.min_value))
                when rule.recovery_max_value > rule.max_value then vitals.refusal('rule-recovery-above-max',
                    format('recovery_max_value %s is above max_value %s: it would recover while it breaches',
                        rule.recovery_max_value, rule.max_value),
                    jsonb_build_object('recovery', rule.recovery_max_value, 'max', rule.max_value))
                when coalesce(rule.recovery_min_value, rule.min_value) > coalesce(rule.recovery_max_value, rule.max_value)
                    or not vitals.metric_range(rule.metric) @> rule.recovery_min_value
                    or not vitals.metric_range(rule.metric) @> rule.recovery_max_value
                    then vitals.refusal('rule-never-recovers',
                        'no reading lies between the recovery bounds: it would never recover')
            end,
            vitals.alert_levels_refusal(rule))
        when 'composite' then case
            when rule.combine is null or rule.combine not in ('all', 'any')
                then vitals.refusal('rule-combine-unknown', 'combine has to be all or any')
            else vitals.alert_conditions_refusal(rule.conditions)
        end
        when 'event' then case
            when rule.event_type is null or rule.event_type !~ '\S' then vitals.refusal('rule-column-missing',
                'event_type is missing', jsonb_build_object('column', 'event_type'))
            when rule.event_type <> upper(rule.event_type) then vitals.refusal('rule-event-type-case',
                format('event_type has to be upper case: %s', upper(rule.event_type)),
                jsonb_build_object('upper', upper(rule.event_type)))
            when strpos(rule.event_type, '.') > 0 or octet_length(rule.event_type) > 64
                then vitals.refusal('rule-event-type-long',
                    'event_type has to be a short type: what follows the last dot, at most 64 bytes')
            when cardinality(rule.event_values) = 0 or array_position(rule.event_values, null) is not null
                then vitals.refusal('rule-event-values-empty', 'event_values holds no value; leave it out for any')
            when cardinality(rule.recovery_values) = 0 or array_position(rule.recovery_values, null) is not null
                then vitals.refusal('rule-recovery-values-empty', 'recovery_values holds no value; leave it out for none')
            when rule.recovery_values is not null and rule.event_values is null
                then vitals.refusal('rule-recovery-values-alone',
                    'recovery_values need event_values: any value raises it, those that resolve it too')
            when rule.event_values && rule.recovery_values
                then vitals.refusal('rule-event-values-overlap', 'a value both raises it and resolves it')
        end
        when 'silence' then case
            when rule.silent_seconds is null then vitals.refusal('rule-column-missing',
                'silent_seconds is missing', jsonb_build_object('column', 'silent_seconds'))
            when rule.consecutive <> 1 then vitals.refusal('rule-column-foreign',
                'consecutive means nothing to a rule of kind silence',
                jsonb_build_object('columns', 'consecutive', 'kind', rule.kind))
        end
    end;
end
$$;
comment on function vitals.alert_rule_kind_refusal(alert_rule) is
    'Why a rule lacks what its kind needs, or has what means nothing to it; NULL when neither.';

-- What it is to the rules beside it.
create or replace function vitals.alert_rule_replacement_refusal(rule alert_rule) returns jsonb
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    replaced  alert_rule;
    successor alert_rule;
    judged    text;
begin
    if rule.replaces_rule_id is not null then
        select * into replaced from alert_rule where rule_id = rule.replaces_rule_id;
        judged := concat_ws(' ', replaced.kind, replaced.metric, replaced.event_type);
        return case
            when num_nonnulls(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn) = 0 then vitals.refusal('rule-replaces-for-all',
                'only a rule of one tenant (customer_id), unit (org_id), person (user_id) or device (device_sn) can replace one for everybody')
            when replaced.rule_id is null then vitals.refusal('rule-replaced-absent',
                format('there is no rule %s to replace', rule.replaces_rule_id), jsonb_build_object('id', rule.replaces_rule_id))
            when replaced.rule_id = rule.rule_id then vitals.refusal('rule-replaces-itself', 'it cannot replace itself')
            when num_nonnulls(replaced.customer_id, replaced.org_id, replaced.user_id, replaced.device_sn) > 0
                then vitals.refusal('rule-replaced-of-tenant',
                format('rule %s is not for everybody, it cannot be replaced', replaced.rule_id),
                jsonb_build_object('id', replaced.rule_id))
            when (replaced.kind, replaced.metric, replaced.event_type)
                is distinct from (rule.kind, rule.metric, rule.event_type)
                then vitals.refusal('rule-replaced-differs',
                    format('rule %s judges something else (%s)', replaced.rule_id, judged),
                    jsonb_build_object('id', replaced.rule_id, 'judged', judged))
        end;
    end if;
    select * into successor from alert_rule where replaces_rule_id = rule.rule_id limit 1;
    judged := coalesce(successor.metric, successor.event_type);
    return case
        when successor.rule_id is null then null
        when num_nonnulls(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn) > 0 then vitals.refusal('rule-has-successor',
            format('rule %s replaces it for some: it has to be for everybody', successor.rule_id),
            jsonb_build_object('id', successor.rule_id))
        when (successor.metric, successor.event_type) is distinct from (rule.metric, rule.event_type)
            then vitals.refusal('rule-successor-differs',
                format('rule %s replaces it for some and judges %s', successor.rule_id, judged),
                jsonb_build_object('id', successor.rule_id, 'judged', judged))
    end;
end
$$;
comment on function vitals.alert_rule_replacement_refusal(alert_rule) is
    'Why a rule cannot replace another, or be replaced as it is; NULL when neither.';

create or replace function vitals.alert_rule_refusal_json(rule alert_rule) returns jsonb
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
select coalesce(
    vitals.alert_rule_kind_refusal(rule), vitals.alert_rule_common_refusal(rule), vitals.alert_rule_replacement_refusal(rule))
$$;
comment on function vitals.alert_rule_refusal_json(alert_rule) is 'Why a rule is impossible, as vitals.refusal() has it; NULL: it is not.';

create or replace function vitals.alert_rule_refusal(rule alert_rule) returns text
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
select vitals.alert_rule_refusal_json(rule) ->> 'message'
$$;
comment on function vitals.alert_rule_refusal(alert_rule) is 'Why a rule is impossible, in words; NULL: it is not.';

-- Ends the statement with a refusal: the message for who writes SQL, code and arguments as DETAIL for programs.
create or replace function vitals.refuse(refusal jsonb, state text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using message = refusal ->> 'message', detail = (refusal - 'message')::text, errcode = state;
end
$$;
comment on function vitals.refuse(jsonb, text) is 'Ends the statement with a refusal and this SQLSTATE; DETAIL has its code and its arguments as JSON.';

create or replace function vitals.alert_rule_check() returns trigger
language plpgsql
set search_path = pg_catalog, public, pg_temp
as $$
declare
    refusal jsonb := vitals.alert_rule_refusal_json(new);
begin
    if refusal is not null then
        perform vitals.refuse(vitals.refusal('rule-refused', format('rule "%s": %s', new.name, refusal ->> 'message'),
            jsonb_build_object('rule', new.name, 'reason', refusal)), 'check_violation');
    end if;
    if tg_op = 'UPDATE' then
        if old.kind <> new.kind then
            perform vitals.refuse(vitals.refusal('rule-kind-fixed',
                format('rule "%s": its kind cannot change, make another rule', new.name), jsonb_build_object('rule', new.name)),
                'check_violation');
        end if;
        if to_jsonb(old) - '{version,changed_at,changed_by}'::text[] = to_jsonb(new) - '{version,changed_at,changed_by}'::text[] then
            return old;
        end if;
        new.version := old.version + 1;
    else
        new.version := 1;
    end if;
    new.changed_at := now();
    new.changed_by := coalesce(nullif(current_setting('vitals.actor', true), ''), current_user);
    return new;
end
$$;
comment on function vitals.alert_rule_check() is 'Row trigger: refuses an impossible rule with the reason, numbers its versions.';

-- What a column of a rule is when nobody says: the defaults of the table, so that a rule may be tried out without being kept.
create or replace function vitals.alert_rule_defaults() returns jsonb
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    pairs    text;
    defaults jsonb;
begin
    select string_agg(format('%L, %s', a.attname, pg_get_expr(d.adbin, d.adrelid)), ', ') into pairs
    from pg_attrdef d
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = 'alert_rule'::regclass;
    execute format('select jsonb_build_object(%s)', pairs) into defaults;
    return defaults;
end
$$;
comment on function vitals.alert_rule_defaults() is 'The columns of alert_rule that have a default, and which.';
