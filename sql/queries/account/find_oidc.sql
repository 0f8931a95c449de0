-- account.find_oidc
-- Purpose: the account of a person at an OIDC provider.
-- Parameters: $1 issuer, $2 subject.
-- Result: no row: there is no such account.
-- Locks: none.
select account_id, disabled_at is not null as is_disabled
from account
where oidc_issuer = $1 and oidc_subject = $2
