-- Why a rule is invalid, for the person who wrote it; NULL: it is valid.
-- Called by the trigger of alert_rule, and for a rule that is only tried out. So it says everything that the constraints
-- of the table say, too, but in better words.
-- Locks: none.

-- The bounds of a metric. The last three parameters name them as the writer of the rule does.
create or replace function vitals.alert_bounds_refusal(
    metric text, min numeric, max numeric, metric_name text, min_name text, max_name text
) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
select case
    when metric is null then metric_name || ' is missing'
    when vitals.metric_range(metric) is null then format(
        '%s "%s" is none that rules judge: %s', metric_name, metric,
        (select string_agg(m.name, ', ') from vitals.metric() as m where m.kind = 'vital sign'))
    when min is null and max is null then format('%s or %s is needed, nothing would breach it', min_name, max_name)
    when not vitals.metric_range(metric) @> min or not vitals.metric_range(metric) @> max then format(
        '%s is outside what is ever stored of %s, %s to %s',
        case when vitals.metric_range(metric) @> min is not false
            then format('%s %s', max_name, max) else format('%s %s', min_name, min) end,
        metric, lower(vitals.metric_range(metric)), upper(vitals.metric_range(metric)))
    when min >= max then format('%s %s is not below %s %s', min_name, min, max_name, max)
end
$$;
comment on function vitals.alert_bounds_refusal(text, numeric, numeric, text, text, text) is
    'Why bounds of a metric are impossible; NULL when they are not.';

create or replace function vitals.alert_conditions_refusal(conditions jsonb) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    place     bigint;
    condition jsonb;
    refusal   text;
begin
    if conditions is null or jsonb_typeof(conditions) <> 'array' or jsonb_array_length(conditions) not between 1 and 10 then
        return 'conditions has to be an array of 1 to 10 objects {metric, min, max, duration_seconds}';
    end if;
    for place, condition in
        select item.ordinality, item.value from jsonb_array_elements(conditions) with ordinality as item
    loop
        refusal := case
            when jsonb_typeof(condition) <> 'object' then 'it is no object'
            when condition - '{metric,min,max,duration_seconds}'::text[] <> '{}' then format(
                'it knows metric, min, max, duration_seconds, but not %s',
                (select string_agg(quote_ident(name), ', ')
                 from jsonb_object_keys(condition - '{metric,min,max,duration_seconds}'::text[]) as name))
            when jsonb_typeof(condition -> 'metric') is distinct from 'string' then 'metric is missing, or no text'
            when coalesce(jsonb_typeof(condition -> 'min'), 'null') not in ('number', 'null') then 'min is no number'
            when coalesce(jsonb_typeof(condition -> 'max'), 'null') not in ('number', 'null') then 'max is no number'
            when coalesce(jsonb_typeof(condition -> 'duration_seconds'), 'null') not in ('number', 'null')
                then 'duration_seconds is no number'
            when (condition ->> 'duration_seconds')::numeric not between 0 and 86400
                or (condition ->> 'duration_seconds')::numeric % 1 <> 0
                then 'duration_seconds has to be a whole number from 0 to 86400'
            else vitals.alert_bounds_refusal(
                condition ->> 'metric', (condition ->> 'min')::numeric, (condition ->> 'max')::numeric, 'metric', 'min', 'max')
        end;
        if refusal is not null then
            return format('condition %s: %s', place, refusal);
        end if;
    end loop;
    return null;
end
$$;
comment on function vitals.alert_conditions_refusal(jsonb) is
    'Why the conditions of a composite rule are impossible; NULL when they are not.';

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
create or replace function vitals.alert_rule_common_refusal(rule alert_rule) returns text
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    refusal text;
begin
    select format('%s has to be from %s to %s', bound.name, bound.lowest, bound.highest) into refusal
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
    return case
        when rule.name is null or rule.name !~ '\S' then 'it has no name'
        when char_length(rule.name) > 200 then 'its name is longer than 200 characters'
        when rule.enabled is null then 'enabled is neither true nor false'
        when rule.severity is null or rule.severity not in ('critical', 'major', 'minor', 'info')
            then 'severity has to be critical, major, minor or info'
        when rule.customer_id <= 0 then 'customer_id has to be the number of a tenant'
        when refusal is not null then refusal
        when rule.consecutive - 1 > rule.window_seconds then format(
            '%s readings in a row do not fit into window_seconds %s', rule.consecutive, rule.window_seconds)
        when (rule.effective_from is null) <> (rule.effective_until is null)
            then 'effective_from and effective_until need each other'
        when rule.effective_from = rule.effective_until
            then 'effective_from and effective_until are the same; leave out both for the whole day'
        when rule.effective_days is not null and not (
            array_ndims(rule.effective_days) is not distinct from 1
            and cardinality(rule.effective_days) = (select count(distinct day) from unnest(rule.effective_days) as day)
            and 1 <= all (rule.effective_days) and 7 >= all (rule.effective_days)
        ) then 'effective_days has to be days of the week, 1 Monday to 7 Sunday, each once; leave it out for every day'
        when not vitals.is_time_zone(rule.time_zone)
            then format('there is no time zone "%s"', rule.time_zone)
        when rule.message is null or rule.message !~ '\S' then 'it has no message'
        when char_length(rule.message) > 1000 then 'its message is longer than 1000 characters'
        else (
            select format(
                'the message knows no {%s}, but {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer} {wearer}',
                found.name[1])
            from regexp_matches(rule.message, '\{([^{}]*)\}', 'g') as found (name)
            where found.name[1] <> all (
                '{device_sn,rule,severity,metric,value,min,max,event_type,count,time,user,org,customer,wearer}'::text[])
            limit 1
        )
    end;
end
$$;
comment on function vitals.alert_rule_common_refusal(alert_rule) is
    'Why a rule of whatever kind is impossible; NULL when it is not.';

-- What the kind needs, and what means nothing to it.
create or replace function vitals.alert_rule_kind_refusal(rule alert_rule) returns text
language plpgsql immutable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    foreign_columns text;
begin
    if rule.kind is null or rule.kind not in ('threshold', 'composite', 'event', 'silence') then
        return 'kind has to be threshold, composite, event or silence';
    end if;
    select string_agg(own.name, ', ') into foreign_columns
    from (values
        ('metric',             'threshold', rule.metric is not null),
        ('min_value',          'threshold', rule.min_value is not null),
        ('max_value',          'threshold', rule.max_value is not null),
        ('recovery_min_value', 'threshold', rule.recovery_min_value is not null),
        ('recovery_max_value', 'threshold', rule.recovery_max_value is not null),
        ('combine',            'composite', rule.combine is not null),
        ('conditions',         'composite', rule.conditions is not null),
        ('event_type',         'event',     rule.event_type is not null),
        ('event_values',       'event',     rule.event_values is not null),
        ('recovery_values',    'event',     rule.recovery_values is not null),
        ('silent_seconds',     'silence',   rule.silent_seconds is not null)
    ) as own (name, kind, is_set)
    where own.is_set and own.kind <> rule.kind;
    if foreign_columns is not null then
        return format('%s means nothing to a rule of kind %s', foreign_columns, rule.kind);
    end if;
    return case rule.kind
        when 'threshold' then coalesce(
            vitals.alert_bounds_refusal(rule.metric, rule.min_value, rule.max_value, 'metric', 'min_value', 'max_value'),
            case
                when rule.recovery_min_value is not null and rule.min_value is null
                    then 'recovery_min_value needs min_value'
                when rule.recovery_max_value is not null and rule.max_value is null
                    then 'recovery_max_value needs max_value'
                when rule.recovery_min_value < rule.min_value then format(
                    'recovery_min_value %s is below min_value %s: it would recover while it breaches',
                    rule.recovery_min_value, rule.min_value)
                when rule.recovery_max_value > rule.max_value then format(
                    'recovery_max_value %s is above max_value %s: it would recover while it breaches',
                    rule.recovery_max_value, rule.max_value)
                when coalesce(rule.recovery_min_value, rule.min_value) > coalesce(rule.recovery_max_value, rule.max_value)
                    or not vitals.metric_range(rule.metric) @> rule.recovery_min_value
                    or not vitals.metric_range(rule.metric) @> rule.recovery_max_value
                    then 'no reading lies between the recovery bounds: it would never recover'
            end)
        when 'composite' then case
            when rule.combine is null or rule.combine not in ('all', 'any') then 'combine has to be all or any'
            else vitals.alert_conditions_refusal(rule.conditions)
        end
        when 'event' then case
            when rule.event_type is null or rule.event_type !~ '\S' then 'event_type is missing'
            when rule.event_type <> upper(rule.event_type)
                then format('event_type has to be upper case: %s', upper(rule.event_type))
            when strpos(rule.event_type, '.') > 0 or octet_length(rule.event_type) > 64
                then 'event_type has to be a short type: what follows the last dot, at most 64 bytes'
            when cardinality(rule.event_values) = 0 or array_position(rule.event_values, null) is not null
                then 'event_values holds no value; leave it out for any'
            when cardinality(rule.recovery_values) = 0 or array_position(rule.recovery_values, null) is not null
                then 'recovery_values holds no value; leave it out for none'
            when rule.recovery_values is not null and rule.event_values is null
                then 'recovery_values need event_values: any value raises it, those that resolve it too'
            when rule.event_values && rule.recovery_values then 'a value both raises it and resolves it'
        end
        when 'silence' then case
            when rule.silent_seconds is null then 'silent_seconds is missing'
            when rule.consecutive <> 1 then 'consecutive means nothing to a rule of kind silence'
        end
    end;
end
$$;
comment on function vitals.alert_rule_kind_refusal(alert_rule) is
    'Why a rule lacks what its kind needs, or has what means nothing to it; NULL when neither.';

-- What it is to the rules beside it.
create or replace function vitals.alert_rule_replacement_refusal(rule alert_rule) returns text
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    replaced  alert_rule;
    successor alert_rule;
begin
    if rule.replaces_rule_id is not null then
        select * into replaced from alert_rule where rule_id = rule.replaces_rule_id;
        return case
            when rule.customer_id is null then 'only a rule of one tenant (customer_id) can replace one for everybody'
            when replaced.rule_id is null then format('there is no rule %s to replace', rule.replaces_rule_id)
            when replaced.rule_id = rule.rule_id then 'it cannot replace itself'
            when replaced.customer_id is not null
                then format('rule %s is not for everybody, it cannot be replaced', replaced.rule_id)
            when (replaced.kind, replaced.metric, replaced.event_type)
                is distinct from (rule.kind, rule.metric, rule.event_type)
                then format('rule %s judges something else (%s)', replaced.rule_id,
                    concat_ws(' ', replaced.kind, replaced.metric, replaced.event_type))
        end;
    end if;
    select * into successor from alert_rule where replaces_rule_id = rule.rule_id limit 1;
    return case
        when successor.rule_id is null then null
        when rule.customer_id is not null
            then format('rule %s replaces it for one tenant: it has to be for everybody', successor.rule_id)
        when (successor.metric, successor.event_type) is distinct from (rule.metric, rule.event_type)
            then format('rule %s replaces it for one tenant and judges %s', successor.rule_id,
                coalesce(successor.metric, successor.event_type))
    end;
end
$$;
comment on function vitals.alert_rule_replacement_refusal(alert_rule) is
    'Why a rule cannot replace another, or be replaced as it is; NULL when neither.';

create or replace function vitals.alert_rule_refusal(rule alert_rule) returns text
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
select coalesce(
    vitals.alert_rule_kind_refusal(rule), vitals.alert_rule_common_refusal(rule), vitals.alert_rule_replacement_refusal(rule))
$$;
comment on function vitals.alert_rule_refusal(alert_rule) is 'Why a rule is impossible, in words; NULL: it is not.';

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
