-- account.set_language
-- Purpose: sets the language of the pages of a person.
-- Parameters: $1 account, $2 language.
-- Locks: the row.
update account
set language = $2
where account_id = $1
