-- The order in which people look for names of units and of people: numbers by their value (Ward 2 before Ward 10), capitals beside small
-- letters, Chinese names by their sound (pinyin). It stands for no index, so another version of ICU changes nothing that is stored.
-- Parameters: none. Locks: none.
create collation if not exists dashboard.by_name (provider = icu, locale = 'zh-u-kn');
comment on collation dashboard.by_name is 'The order of names for people: numbers by their value, Chinese by its sound.';
