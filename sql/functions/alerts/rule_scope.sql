-- Which rows a rule applies to. A rule is for everybody, or for one tenant, unit, person or device. A rule may replace one for
-- everybody; of the rules that replace it, the narrowest that matches a row applies, whether it is enabled or not.
-- Before: breached_pairs, derive_alerts, write_silence_alerts. Locks: none.

-- For whom a rule is, as one word of row_scopes(). An index uses it (V47).
create or replace function vitals.rule_scope(customer_id bigint, org_id bigint, user_id bigint, device_sn text) returns text
language sql immutable parallel safe
as $$
    select case
        when device_sn is not null then 'device ' || device_sn
        when user_id is not null then 'person ' || user_id::text
        when org_id is not null then 'unit ' || org_id::text
        when customer_id is not null then 'tenant ' || customer_id::text
        else 'everybody'
    end
$$;
comment on function vitals.rule_scope(bigint, bigint, bigint, text) is 'For whom a rule is, as one word of vitals.row_scopes().';

-- All scopes that hold a row of this owner and device, the narrowest last; of units, the unit itself after those above it.
create or replace function vitals.row_scopes(customer_id bigint, org_id bigint, user_id bigint, device_sn text) returns text[]
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    units bigint[] := '{}';
begin
    if row_scopes.org_id is not null then
        -- A unit that the directory does not know is alone.
        units := coalesce((select o.ancestors from org_unit o where o.org_id = row_scopes.org_id), '{}') || row_scopes.org_id;
    end if;
    return array_remove(
        array['everybody', 'tenant ' || row_scopes.customer_id]
            || array(select 'unit ' || u.id from unnest(units) with ordinality as u (id, depth) order by u.depth)
            || array['person ' || row_scopes.user_id, 'device ' || row_scopes.device_sn],
        null
    );
end
$$;
comment on function vitals.row_scopes(bigint, bigint, bigint, text) is 'All scopes of rules that hold a row of this owner and device, the narrowest last.';

-- Whether a rule applies to a row.
--   scope     of the rule
--   root_id   the rule that it replaces, or itself
--   scopes    of the row
create or replace function vitals.rule_applies(scope text, root_id bigint, scopes text[]) returns boolean
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
begin
    return rule_applies.scope = any (rule_applies.scopes) and not exists (
        select from alert_rule q
        where q.replaces_rule_id = rule_applies.root_id
          and vitals.rule_scope(q.customer_id, q.org_id, q.user_id, q.device_sn)
              = any (rule_applies.scopes[array_position(rule_applies.scopes, rule_applies.scope) + 1:])
    );
end
$$;
comment on function vitals.rule_applies(text, bigint, text[]) is 'Whether a rule applies to a row: it holds the row, and no narrower rule replaces it.';

-- Who changed the rule last that applies in place of another one to the owner and device of an alert. NULL: the other one applies.
create or replace function vitals.replaced_by(rule alert_rule, raised alert) returns text
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
declare
    root_id constant bigint := coalesce(rule.replaces_rule_id, rule.rule_id);
    scopes  text[];
begin
    if not exists (select from alert_rule q where q.replaces_rule_id = root_id and q.rule_id <> rule.rule_id) then
        return null;
    end if;
    scopes := vitals.row_scopes(raised.customer_id, raised.org_id, raised.user_id, raised.device_sn);
    return (
        select q.changed_by
        from alert_rule q
        cross join lateral (select vitals.rule_scope(q.customer_id, q.org_id, q.user_id, q.device_sn) as name) as scope
        where q.replaces_rule_id = root_id and scope.name = any (scopes[
            array_position(scopes, vitals.rule_scope(rule.customer_id, rule.org_id, rule.user_id, rule.device_sn)) + 1:])
        order by array_position(scopes, scope.name) desc
        limit 1
    );
end
$$;
comment on function vitals.replaced_by(alert_rule, alert) is 'Who changed the rule last that applies in place of another one to the owner and device of an alert. NULL: the other one applies.';

-- Whether there are rules that are not for everybody; without any, nobody has to ask.
create or replace function vitals.has_scoped_rules() returns boolean
language sql stable
set search_path = pg_catalog, public, pg_temp
as $$
    select exists (select from alert_rule r where num_nonnulls(r.customer_id, r.org_id, r.user_id, r.device_sn) > 0)
$$;
comment on function vitals.has_scoped_rules() is 'Whether there are rules that are not for everybody.';

-- The tenant within which a rule holds, as the directory is now. NULL: it is for everybody, or the directory does not have its unit, person or device.
create or replace function vitals.tenant_of_rule(customer_id bigint, org_id bigint, user_id bigint, device_sn text) returns bigint
language plpgsql stable
set search_path = pg_catalog, public, pg_temp
as $$
begin
    return case
        when tenant_of_rule.device_sn is not null then
            (select nullif(d.customer_id, 0) from device_owner(array[tenant_of_rule.device_sn]) d)
        when tenant_of_rule.user_id is not null then (
            select o.customer_id from app_user u join org_unit o on o.org_id = u.org_id where u.user_id = tenant_of_rule.user_id
        )
        when tenant_of_rule.org_id is not null then (select o.customer_id from org_unit o where o.org_id = tenant_of_rule.org_id)
        else tenant_of_rule.customer_id
    end;
end
$$;
comment on function vitals.tenant_of_rule(bigint, bigint, bigint, text) is 'The tenant within which a rule holds. NULL: it is for everybody, or the directory does not know for whom it is.';
