-- account.add
-- Purpose: makes an account. Nothing happens if the login name, the name or the id at the OIDC provider is taken.
-- Parameters: $1 login, $2 name, $3 language (NULL: that of the browser), $4 OIDC issuer, $5 subject (NULL: none), $6 who makes it.
-- Result: the number of the account; no row: something is taken.
-- Locks: none except the new row.
insert into account (login, name, language, oidc_issuer, oidc_subject, created_by)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
returning account_id
