-- directory.refuse_contacts
-- Purpose: takes lines out that repeat an earlier one, contradict it, or name a user or an organisation unit nobody knows.
-- Result: the line, and why it is refused; no reason: it said the same.
with first as (
    -- What the first line of a contact that says anything says of it.
    select
        name,
        (array_agg(language order by line) filter (where language is not null))[1] as language,
        (array_agg(user_id order by line) filter (where user_id is not null))[1] as user_id
    from pg_temp.incoming group by name
),
namesakes as (
    select name, count(*) as contacts from contact where name in (select name from first) group by name having count(*) > 1
),
judged as (
    select
        i.line,
        row_number() over (
            partition by i.name, i.channel, i.address, i.language, i.user_id, i.org_id order by i.line
        ) > 1 as is_repeat,
        case
            when n.name is not null then format('%s contacts are named "%s": which one is meant?', n.contacts, i.name)
            when i.language <> f.language then format('contact "%s" has language %s in an earlier line', i.name, f.language)
            when i.user_id <> f.user_id then format('contact "%s" is user %s in an earlier line', i.name, f.user_id)
            when i.user_id is not null and u.user_id is null then format('user %s is not known', i.user_id)
            when i.org_id is not null and o.org_id is null then format('organisation unit %s is not known', i.org_id)
        end as reason
    from pg_temp.incoming i
    join first f using (name)
    left join namesakes n using (name)
    left join app_user u on u.user_id = i.user_id
    left join org_unit o on o.org_id = i.org_id
),
refused as (
    delete from pg_temp.incoming i
    using judged j
    where j.line = i.line and (j.is_repeat or j.reason is not null)
    returning i.line, j.reason
)
select line, reason from refused order by line
