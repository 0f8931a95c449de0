-- rejected_upload.page
-- Purpose: a page of the rejects that match, in the order of their numbers, limited by the memory that it may take.
-- Parameters, NULL for "any": $1 ids, $2 serials, $3 reasons, $4 sources, $5 received at or after, $6 received before;
-- $7 the last number of the previous page, $8 the last number of all, $9 most rows, $10 most bytes of text (the first row comes
-- whatever its size).
-- Locks: none.
select rejected_upload_id
from (
    select rejected_upload_id, sum(octet_length(body)) over (order by rejected_upload_id) - octet_length(body) as bytes_before
    from rejected_upload
    where ($1::bigint[] is null or rejected_upload_id = any($1))
      and ($2::text[] is null or device_sn = any($2))
      and ($3::text[] is null or reason = any($3))
      and ($4::text[] is null or source = any($4))
      and ($5::timestamptz is null or received_at >= $5)
      and ($6::timestamptz is null or received_at < $6)
      and rejected_upload_id > $7
      and rejected_upload_id <= $8
    order by rejected_upload_id
    limit $9
) page
where bytes_before = 0 or bytes_before < $10
order by rejected_upload_id
