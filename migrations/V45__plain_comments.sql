-- Plain comments on tables and columns. No table, column, view or function of the public schema changes.
-- Locks: the tables, against other changes of the schema only.

comment on column alert.severity        is 'Severity of the rule when the alert fired: critical, major, minor or info.';
comment on column alert.ended_ts        is 'Event time at which the device recovered, or the alert expired. NULL: it has not ended.';
comment on column alert.acknowledged_at is 'When a person acknowledged it. NULL: nobody has.';
comment on column alert.acknowledged_by is 'Who acknowledged it. NULL: nobody has.';
comment on column alert_action.actor    is 'Who did it. NULL: the service.';

comment on column alert_rule.message is
    'Text of the notification. Placeholders: {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer} {wearer} (names of the person and of the unit, if the directory has them, and the serial).';
comment on column alert_rule.version is 'Number of the version, incremented by every change. alert_rule_version has the older versions.';
comment on table alert_rule_text is
    'Name and message of a rule in further languages; without a row, those of the rule are used. When the name or the message of the rule changes, its rows are deleted, because they would be outdated.';
comment on column alert_rule_text.message is 'Text of the notification, with the placeholders of alert_rule.message.';

comment on column policy.refresh_lag is 'How far the watermark stays behind now. Newer buckets are computed when they are read. NULL: not a rollup.';

comment on column vitals.directory.directory_id is 'Random id of the directory, so that entries that the service of another database left in the same Redis are not used.';
comment on column vitals.latest_view.view_id    is 'Random id of the Redis view, so that values that the service of another database left in the same Redis are not used.';

comment on table vitals.rollup is 'One row per rollup: its source, its definition, and how far it is materialised.';
comment on column vitals.rollup.source            is 'The relation from which it is computed: health_data or another rollup.';
comment on column vitals.rollup.time_zone         is 'Zone in which the buckets are cut (IANA name). Fixed when the rollup was created.';
comment on column vitals.rollup.definition        is 'The SELECT of sql/rollups, without comments and with the zone filled in.';
comment on column vitals.rollup.watermark         is 'Buckets before it are materialised, later ones are computed when they are read. -infinity for a continuous aggregate, whose watermark TimescaleDB stores.';
comment on column vitals.rollup.marked_below      is 'The relay marks late rows before this time in vitals.rollup_dirty. A refresh raises it, and commits, before it moves the watermark. NULL: not the rollup over health_data.';
comment on column vitals.rollup.live_from         is 'Value of vitals.<name>_live_from(): a bound at or before the watermark that the planner can read.';
comment on column vitals.rollup.live_from_next    is 'Next value of live_from: the watermark at live_from_next_at.';
comment on column vitals.rollup.live_from_next_at is 'When live_from_next was set. It is published when no snapshot of a reader can be older.';
comment on column vitals.rollup.refreshed_at      is 'Start of the last refresh that finished. NULL: none has.';

comment on table vitals.rollup_chunk is
    'The chunks from which each rollup was computed. Where a chunk was dropped, the rollup is the only record left and is not computed again.';
comment on column vitals.rollup_chunk.span is 'Time of the chunk. After it was dropped: the part of it that was materialised.';
comment on column vitals.rollup_chunk.gone is 'Whether the chunk was dropped.';

comment on table vitals.rollup_dirty is 'Changes before the watermark: quarter hours to compute again, at most one UTC day per row.';
comment on column vitals.rollup_dirty.mark_id   is 'Ascending number of the mark.';
comment on column vitals.rollup_dirty.marked_at is 'When the relay, or a change by hand, marked it.';

comment on column vitals.schema_object.name is 'Name of the object; for a function with the types of its parameters; for a grant the role and the object.';
comment on column vitals.schema_object.definition is 'SHA-256 of the definition; for a grant the privileges themselves.';

-- Its parameter gets another name.
drop function if exists vitals.is_abandoned(bigint);
