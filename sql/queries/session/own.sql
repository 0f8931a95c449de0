-- session.own
-- Purpose: the server process of this connection and its start, so that a later process with the same number is not mistaken for it; and
-- whether the connection is encrypted, as the server sees it. NULL if the role may not read this.
-- Locks: none.
select pid, backend_start as started_at, ssl as is_encrypted, sslversion as tls_version, sslcipher as tls_cipher
from pg_stat_get_activity(pg_backend_pid())
