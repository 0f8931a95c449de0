-- An upload that waited in the buffer and cannot be read or stored afterwards is kept as a whole, with source `buffer`.
-- Phase: expand
-- Locks: rejected_upload, which is read once.

alter table rejected_upload
    drop constraint rejected_upload_source_check,
    add constraint rejected_upload_source_check check (source in ('health', 'health_batch', 'device_info', 'event', 'buffer'));
