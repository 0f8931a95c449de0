-- directory.merge_contacts
-- Purpose: the lines become contacts, their addresses, and the organisation units they manage. What a line leaves empty stays as it is.
-- Result: how many contacts are new, and how many were changed; the first of each, for people.
-- Locks: the row of vitals.directory, rows of contact.
with named as (
    select i.name, c.contact_id, c.language as old_language, max(i.language) as language, max(i.user_id) as user_id
    from pg_temp.incoming i
    left join contact c on c.name = i.name
    group by i.name, c.contact_id
),
added as (
    insert into contact (name, language, user_id)
    select name, language, user_id from named where contact_id is null order by name
    returning contact_id, name, language
),
changed as (
    update contact c
    set language = coalesce(n.language, c.language), user_id = coalesce(n.user_id, c.user_id)
    from named n
    where n.contact_id = c.contact_id
      and (coalesce(n.language, c.language), coalesce(n.user_id, c.user_id)) is distinct from (c.language, c.user_id)
    returning c.contact_id
),
meant as (
    select contact_id, name from added
    union all
    select contact_id, name from named where contact_id is not null
),
addressed as (
    insert into contact_address (contact_id, channel, address)
    select distinct m.contact_id, i.channel, i.address
    from pg_temp.incoming i join meant m using (name)
    where i.address is not null
    on conflict do nothing
    returning contact_id
),
manages as (
    insert into org_manager (org_id, contact_id)
    select distinct i.org_id, m.contact_id
    from pg_temp.incoming i join meant m using (name)
    where i.org_id is not null
    on conflict do nothing
    returning contact_id
),
touched as (
    select n.name, n.language, n.old_language
    from named n
    where n.contact_id in (
        select contact_id from changed union select contact_id from addressed union select contact_id from manages
    )
)
select
    (select count(*) from added) as added,
    (select count(*) from touched) as changed,
    array(select format('contact "%s"', name) || coalesce(' in ' || language, '') from added order by name limit 3) as first_added,
    array(
        select format('contact "%s"', name) || case
            when language <> old_language then format(' in %s, was in %s', language, old_language)
            when old_language is null then coalesce(' in ' || language, '')
            else ''
        end
        from touched order by name limit 3
    ) as first_changed
