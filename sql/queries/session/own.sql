-- session.own
-- Purpose: which process of the server serves this connection and when it began, so that it can be told from a later one of
-- its number; and whether the server sees the connection encrypted. NULL where the role may not look at its own login.
-- Locks: none.
select pid, backend_start as started_at, ssl as is_encrypted, sslversion as tls_version, sslcipher as tls_cipher
from pg_stat_get_activity(pg_backend_pid())
