-- Plain names for internal functions, and plain comments. No table, column, view or function of the contract changes.
-- The bodies are in sql/functions, which are applied after this file; here the old names are dropped, or renamed where a trigger
-- depends on the function.
-- Locks: table policy exclusively, for a moment; the tables whose comments change, against other changes of the schema only.

alter function vitals.device_follow_info() rename to update_device_from_info;
alter function vitals.policy_stay() rename to refuse_policy_truncate;
alter trigger policy_stay on policy rename to policy_refuse_truncate;

do $$
declare
    old_function regprocedure;
begin
    for old_function in
        select p.oid::regprocedure
        from pg_proc as p
        where p.pronamespace = 'vitals'::regnamespace and p.proname = any (array[
            'after_update', 'alert_for_step', 'alert_is_over', 'alert_rule_kin_refusal', 'alert_stepped', 'alert_turn',
            'await_rollups', 'continue_alerts', 'counted_ts', 'delete_rejects_over', 'erase_rest', 'has_a_say', 'is_settled',
            'judge_pairs', 'judge_silence', 'note_policy_run', 'pairs_to_judge', 'policy_held', 'rejects_over', 'rule_reach',
            'settles_after', 'stretch_to_rebuild', 'tell_changes', 'write_silence'
        ])
    loop
        execute format('drop function %s', old_function);
    end loop;
end
$$;

comment on column alert.metric       is 'Vital sign that breached. NULL: kind is not threshold.';
comment on column alert.historical   is 'All its breaches were received late (see alert_rule.late_after_seconds): nobody was notified.';
comment on column alert.judged_ts    is 'Event time of the newest reading that was evaluated for it.';
comment on column alert.message      is 'Text of the notification when it fired.';
comment on column alert.muted_until  is 'After a person resolved the alert: until when breaches of the device are ignored by the rule. NULL: no person resolved it.';
comment on column alert.resolution   is 'recovered, expired, manual (a person), rule_disabled, or retracted (late readings show that there was no alert). NULL: open.';
comment on column alert_action.action is 'fired, reopened, acknowledged, resolved, retracted, silenced (not notified because of a silence), escalated, noted.';
comment on column alert_action.note  is 'Note of the person, or the reason. NULL: none.';

comment on table vitals.alert_change is 'Alerts to be published to Redis again. Written with the change, deleted when it was published.';
comment on column vitals.alert_change.lease_token  is 'Instance that is publishing it. NULL: none.';
comment on column vitals.alert_change.leased_until is 'When the lease ends and another instance may take over. NULL: not leased.';

comment on table alert_rule is 'Rules that raise alerts. A change applies from the next batch on, in every instance; an invalid rule is refused with the reason.';
comment on column alert_rule.kind             is 'threshold: a vital sign outside its bounds; composite: several conditions; event: a device sent an event; silence: a device sends nothing.';
comment on column alert_rule.enabled          is 'False: the rule is not evaluated, and its open alerts were resolved when it was disabled.';
comment on column alert_rule.customer_id      is 'Tenant whose samples it evaluates. NULL: all tenants.';
comment on column alert_rule.replaces_rule_id is 'Rule for all tenants that this rule replaces for its own tenant, whether this one is enabled or not. NULL: none.';
comment on column alert_rule.cooldown_seconds is 'A breach this soon after the end of an alert reopens that alert instead of raising a new one, without a notification; after a person resolved the alert, breaches in this time are ignored. Seconds.';
comment on column alert_rule.late_after_seconds is 'A breach received this much later than it happened is late: an alert of late breaches only is historical, without a notification. Seconds.';
comment on column alert_rule_version.changed_at is 'When this version was made.';
comment on column alert_rule_version.changed_by is 'Who made this version.';

comment on table alert_silence is 'While a silence is in force, alerts that match everything it names are raised and stored, but nobody is notified.';
comment on column alert_silence.note is 'Reason. NULL: none was given.';

comment on table api_key is 'Keys of the HTTP interface. Every running service applies a change at once. Created by `vitals keys`; the secret itself is not stored.';
comment on column api_key.key_id         is 'Public part of the key: the text between vk_ and the secret.';
comment on column api_key.name           is 'Purpose, for people. No two keys that are not revoked have the same name.';
comment on column api_key.secret_hash    is 'SHA-256 of the secret. The secret has 256 bits of entropy, so it cannot be guessed; a slow hash is for passwords, which people choose.';
comment on column api_key.previous_hash  is 'SHA-256 of the secret before the last rotation. NULL: the key was never rotated, or that secret was ended.';
comment on column api_key.previous_until is 'Until when the previous secret works too. NULL: there is none.';
comment on column api_key.created_by     is 'Who created it: the name given, else the role.';
comment on column api_key.expires_at     is 'From then on the key no longer works. NULL: it works until it is revoked.';
comment on column api_key.revoked_at     is 'When it was revoked. NULL: it was not.';
comment on column app_user.name          is 'Name, for people. NULL: not known.';
comment on column org_unit.name          is 'Name, for people. NULL: not known.';
comment on column org_unit.ancestors     is 'Ids from the root down to the parent; leading zeros mean that there are no more. Empty: the unit is a root.';

comment on table vitals.backfill is 'Files of history that were imported: how far, and the counts of their records. Written with the rows, so that an interrupted import continues.';
comment on column vitals.backfill.file_hash   is 'SHA-256 of the file: a renamed file is the same file.';
comment on column vitals.backfill.started_at  is 'When the import started.';
comment on column vitals.backfill.advanced_at is 'When the import last advanced.';
comment on column vitals.backfill.ended_at    is 'When the last line was committed. NULL: the import is running or was interrupted.';

comment on table contact is 'A person, group or system that can be notified of alerts: a wearer, a nurse, a ward, a pager.';
comment on column contact.user_id is 'The user this contact is: routes to the wearer notify it of alerts of their own device. NULL: not a wearer.';
comment on column customer.customer_id is 'Tenant, 64 bit, given from outside. 0: no tenant, and the defaults for all tenants.';

comment on table device is 'One row per device that ever sent data, bound to a user or not. A device that was never bound is deleted when it has sent nothing for policy.keep_for.';
comment on column device.info_ts         is 'Event time of the newest message of device_info; if that is more than five minutes after its receipt, the time of receipt. NULL: the device never sent one.';
comment on column device.customer_id     is 'Tenant as of the newest message: as the device named it, else by its binding at that time. It does not change who owns the device. NULL: neither.';
comment on column device.system_version  is 'Firmware, as sent. This column and each of those below hold the newest value by event time. NULL: never sent.';
comment on column device.model           is 'Model: the leading AAA-AAnn of the firmware. NULL: none was sent, or it has another form.';
comment on column device.wifi_address    is 'MAC address of the WLAN, upper case with colons; as sent if it is not a MAC address. NULL: never sent.';
comment on column device.ip_address      is 'First IPv4 address in the message; the text as sent if there is none. NULL: never sent.';
comment on column device.network_mode    is 'How the device reaches the network: a number or word of the device. NULL: never sent.';
comment on column device.charging_status is 'CHARGING, NOT_CHARGING, or UNKNOWN if the device sent another word. NULL: never sent.';
comment on column device.wear_state      is '0 not worn, 1 worn; else the word of the device. NULL: never sent.';
comment on column device.status          is 'State that the device reports, as sent. NULL: never sent.';
comment on column device.heard_at        is 'When the service last processed data of the device; updated at most once a day.';
comment on column device_binding.device_sn  is 'Serial number of the device, as it sends it. It may be bound before it ever sends data.';
comment on column device_binding.valid_from is 'Since when. A later binding of the device ends this one, even before valid_until.';

comment on column device_config.customer_id is 'Tenant. 0: the defaults for all tenants.';
comment on column device_config.upload_method is 'How watches upload: wifi (directly) or bluetooth (through a phone). NULL: as tenant 0.';
comment on table device_config_interface is 'The URLs to which watches send; the names are those the firmware looks for. auth_header is a secret: keep dashboards away from this table.';
comment on column device_config_interface.customer_id is 'Tenant. 0: the defaults for all tenants.';
comment on column device_config_interface.path   is 'Path below public_base_url of the service, or a complete http(s) URL of another server.';
comment on column device_config_interface.api_id is 'Number that identifies the caller. Empty: none.';
comment on table device_config_metric is 'What watches measure, how often, and when they warn by themselves; independent of the alert rules of the service.';
comment on column device_config_metric.customer_id      is 'Tenant. 0: the defaults for all tenants.';
comment on column device_config_metric.interval_seconds is 'Time between two measurements, seconds. NULL: not set, watches receive -1.';
comment on column device_config_metric.realtime         is 'Whether it is uploaded with the samples at once.';
comment on column device_config_metric.warn_high        is 'The watch warns above it, in the unit of health_data. NULL: never, watches receive -1.';
comment on column device_config_metric.warn_low         is 'The watch warns below it, in the unit of health_data. NULL: never, watches receive -1.';
comment on column device_config_metric.warn_count       is 'Readings in a row beyond a bound before it warns. NULL: not set, watches receive -1.';

comment on table device_event is 'One row per event of a device. An event that is sent again is the same row; the second message fills the columns that are NULL. Hypertable, one chunk a week.';
comment on column device_event.ts       is 'When it happened (event time); the time of receipt if the event has no usable time.';
comment on column device_event.severity is 'Severity of the event type when the event was stored: critical, major, minor or info (see event_type).';
comment on column device_event.value    is 'Value sent with the event; event_type says what it means. NULL: none.';
comment on column device_event.sent_ts  is 'The time as it was sent, if it could not be used and ts is the time of receipt. NULL: ts is as sent, or none was sent.';
comment on table device_info is 'One row per message of a device about itself. Two messages of one instant are one row; the second fills the columns that are NULL. Hypertable, one chunk a week.';
comment on column device_info.ts                is 'Event time; the time of receipt if the message has none.';
comment on column device_info.system_version    is 'Firmware, as sent. NULL: not sent.';
comment on column device_info.model             is 'Model: the leading AAA-AAnn of the firmware. NULL: no firmware was sent, or it has another form.';
comment on column device_info.wifi_address      is 'MAC address of the WLAN, upper case with colons; as sent if it is not a MAC address. NULL: not sent.';
comment on column device_info.bluetooth_address is 'MAC address of Bluetooth, in the same form. NULL: not sent.';
comment on column device_info.ip_address        is 'First IPv4 address in the message; the text as sent if there is none. NULL: not sent.';
comment on column device_info.network_mode      is 'How the device reaches the network: a number or word of the device. NULL: not sent.';
comment on column device_info.device_name       is 'Name its wearer sees. NULL: not sent.';
comment on column device_info.imei              is 'IMEI of its modem. NULL: not sent.';
comment on column device_info.battery_level     is 'Battery, percent. NULL: not sent.';
comment on column device_info.voltage           is 'Battery, millivolts. NULL: not sent.';
comment on column device_info.charging_status   is 'CHARGING, NOT_CHARGING, or UNKNOWN if the message has another word. NULL: not sent.';
comment on column device_info.wear_state        is '0 not worn, 1 worn; else the word of the device. NULL: not sent.';
comment on column device_info.status            is 'State that the device reports, as sent. NULL: not sent.';

comment on table device_key_revocation is 'Devices and tenants whose device keys were revoked: keys issued before never work again, and no new ones are issued until readmitted_at is set. Created by `vitals keys revoke --device` and `--tenant`; every running service applies it at once. Deleting a row would make its keys work again.';
comment on column device_key_revocation.device_sn     is 'The device. NULL: the revocation is of a tenant.';
comment on column device_key_revocation.customer_id   is 'The tenant: of all devices that belonged to it when they received their keys, or belong to it now and use an older key. NULL: the revocation is of one device.';
comment on column device_key_revocation.revoked_by    is 'Who revoked them: the name given, else the role.';
comment on column device_key_revocation.readmitted_at is 'From when on new keys are issued again. NULL: none are.';
comment on table vitals.device_key_secret is 'Secrets from which the keys of single devices are derived (HMAC-SHA-256). Any role that can read this table can make the key of any device.';
comment on column vitals.device_key_secret.generation is 'Number of the secret; every key contains the number of its secret. New keys use the highest.';
comment on column vitals.device_key_secret.secret     is 'The secret: 256 bits of entropy, generated by the database.';
comment on column vitals.device_key_secret.ends_at    is 'From then on keys of this secret are refused. NULL: they are accepted.';
comment on column vitals.directory.version            is 'Incremented in every transaction that changes who owns a device.';

comment on table erasure is 'Receipts: who had a device or a user erased, and how many rows were deleted. Kept for ever; no row names a person.';
comment on column erasure.subject        is 'Serial or user id while the erasure is in progress, so that it can continue. NULL: it is complete.';
comment on column erasure.asked_by       is 'Who requested it: the name given, else the role.';
comment on column erasure.asked_at       is 'When it was requested.';
comment on column erasure.erased_at      is 'When the last row was deleted. NULL: it was interrupted; the same command continues it.';
comment on column erasure.forgotten_at   is 'When Redis was cleared too. NULL: `vitals erase finish` does it.';
comment on column erasure.counts         is 'Deleted rows by table.';
comment on column erasure.pending        is 'Serials whose keys are still to be deleted from Redis. NULL: none.';
comment on column erasure.receipt_number is 'Random number of the receipt, given to the person who requested it; it says nothing about what was erased.';
comment on table event_type is 'Severity of each type of event. A change applies to later events; a type without a row is info.';
comment on column event_type.value is 'What device_event.value means, for people.';
comment on column exercise_day.day is 'Local day of the device (device_time_zone), at whose midnight its running totals restart.';
comment on column exercise_day.daily_ts is 'Event time of the sample whose document of the day is stored here. NULL: none was sent.';
comment on column exercise_day.weekly_ts is 'Event time of the sample whose document of the week is stored here. NULL: none was sent, or none with data of this day.';
comment on column health_data.upload_method is 'Channel the sample came by: wifi, bluetooth, common_event, esim, or the word of the device. NULL: not sent.';

comment on column vitals.ingest_batch.received  is 'Records the batch was made of. 0 for a replay: its records were counted as received when they were rejected.';
comment on column vitals.ingest_batch.duplicate is 'Records whose key was already in the table or earlier in the batch.';
comment on column vitals.ingest_batch.rejected  is 'Records that are in rejected_upload instead. Negative for a replay: so many left rejected_upload.';
comment on column vitals.ingest_batch.kind      is 'Kind of record: reading (rows of health_data), event (device_event; also the sample of an event, if it was rejected), device_info.';
comment on table vitals.latest_view is 'One row: the current build of the Redis view. A Redis that holds another build is rebuilt.';
comment on column vitals.latest_view.generation is 'Incremented when a batch was finished while Redis was away.';

comment on table notification is 'One row per alert and address to be notified. Written with the alert; delivered at least once.';
comment on column notification.contact_id    is 'Contact of the address; it may have been deleted.';
comment on column notification.route_id      is 'Route that led to the address; it may have been deleted.';
comment on column notification.urgent        is 'The alert is critical: it is neither merged nor delayed by quiet hours, and is sent before others.';
comment on column notification.status        is 'pending; sent; dead (refused, or all attempts failed: vitals alerts dead-letters); cancelled (acknowledged before it was due, silenced, or the address is no longer used).';
comment on column notification.due_at        is 'It is not sent before.';
comment on column notification.merge_seconds is 'As in the route. NULL: as set for the channel.';
comment on column notification.attempts      is 'Failed attempts; a rate limit of the provider is not counted.';
comment on column notification.message_id    is 'Id of the message it is sent in: the same at every attempt, so that the receiver can deduplicate. NULL: not attempted yet.';
comment on column notification.sent_at       is 'When the provider accepted it. NULL: not accepted yet.';
comment on column notification.error         is 'Why the last attempt failed, in the words of the provider, or why it was cancelled. NULL: neither.';
comment on table notification_route is 'Who is notified of which alerts. Every enabled route that matches an alert notifies its audience; one address is notified once of an alert, once of its escalation, and once of its end.';
comment on column notification_route.customer_id   is 'Tenant whose alerts match. NULL: any.';
comment on column notification_route.org_id        is 'Organisation unit whose alerts match, with its sub-units. NULL: any.';
comment on column notification_route.rule_id       is 'Rule whose alerts match. NULL: any.';
comment on column notification_route.min_severity  is 'Alerts of this severity and above match.';
comment on column notification_route.after_seconds is 'Escalation: notified only if the alert is still firing and not acknowledged so long after it fired, seconds. 0: notified at once.';
comment on column notification_route.on_resolved   is 'Whether the audience is notified of the end of the alert too.';
comment on column notification_route.merge_seconds is 'After a message to an address, further notifications wait so long and are sent as one message, seconds. NULL: as set for the channel.';
comment on table vitals.notification_target is 'One row per address that was ever sent to: which sender holds its lease, and when the next message may be sent. Only senders use it.';
comment on column vitals.notification_target.next_at      is 'Nothing is sent before: rate limit of a robot, back-off after a failure, rate limit of the provider.';
comment on column vitals.notification_target.sent_at      is 'When the last message was sent; merge_seconds count from here. NULL: none was sent.';
comment on column vitals.notification_target.lease_token  is 'Sender that holds the lease. NULL: none.';
comment on column vitals.notification_target.leased_until is 'When the lease ends and another sender may take over. NULL: not leased.';
comment on table org_manager is 'Who is responsible for an organisation unit, and for the units below it that have no manager.';
comment on column org_manager.contact_id is 'The contact.';

comment on table outbox is 'Committed transactions on health_data, device_info and device_event that the relay has not processed yet. Deleting a row skips the processing and nothing else.';
comment on column outbox.first_ts     is 'Oldest event time in the batch. NULL: the writer did not give it (see trigger health_data_outbox).';
comment on column outbox.created_at   is 'When the writer added the row, before its commit.';
comment on column outbox.lease_token  is 'Relay that processes it. NULL: none yet.';
comment on column outbox.leased_until is 'When the lease ends and another relay may claim the row. NULL: not claimed yet.';
comment on column outbox.attempts     is 'How often it was claimed; from the third time on it is processed alone.';

comment on table policy is 'Retention, compression and refresh of each relation, set by DBAs. A change takes effect by itself; one that would lose data is refused.';
comment on column policy.relation    is 'health_data, a rollup, or another table that grows; a table outside schema public is named with its schema.';
comment on column policy.keep_for    is 'Age at which rows may be dropped; uploads older than that of health_data are rejected, and no refresh computes older buckets. Of alert and notification only finished rows are deleted. NULL: kept for ever.';
comment on column policy.refresh_lag is 'How far the materialised part stays behind now; newer buckets are computed when read. NULL: not a rollup.';
comment on column policy.keep_bytes  is 'Bytes of text to keep, for rejected_upload only: the oldest are deleted first. NULL: no limit.';
comment on column vitals.policy_run.applied_at is 'When the relation was processed.';
comment on column vitals.policy_run.held       is 'Why rows that are old enough were not dropped. NULL: there are none.';
comment on table vitals.refresh_request is 'Ranges of the rollups that the next refresh computes again; it deletes the row afterwards.';
comment on column vitals.refresh_request.requested_at is 'When it was requested.';
comment on column vitals.refresh_request.requested_by is 'Role that requested it.';

comment on column rejected_upload.received_at     is 'When the upload was first received.';
comment on column rejected_upload.batch_id        is 'The transaction that last wrote the row (txid_current()).';
comment on column rejected_upload.source          is 'Kind of item, given by its route; a replay uses the rules of that route: health, health_batch, device_info, event.';
comment on column rejected_upload.device_sn       is 'Serial in the item. NULL: none that can be read.';
comment on column rejected_upload.inherited       is 'Ids given by the objects around the item: deviceSn, customerId, orgId, userId. NULL: none.';
comment on column rejected_upload.key_customer_id is 'Tenant of the key the item was sent with: a replay stores no data of other tenants. 0: a key of one device, whose tenant is the owner in the directory. NULL: a key of all tenants, or no key.';
comment on column rejected_upload.digest          is 'SHA-256 of what identifies it: source, serial, reason and detail, text, inherited, tenant of the key. NULL: the row is older than this column.';

comment on table vitals.schema_object is 'Functions, views and grants as `vitals migrate` and `vitals roles` applied them; vitals.schema_changes() shows what was changed since.';
comment on column vitals.schema_state.program_hash   is 'SHA-256 of the texts of functions, rollups and roles; a program with other texts does not start.';
comment on column vitals.schema_state.server_version is 'Major version of PostgreSQL; another version may print the definition of a view differently.';

comment on column sleep_night.light_hours   is 'Hours of light sleep, each instant once; an instant that is also reported as deep counts as deep.';
comment on column sleep_night.unknown_hours is 'Hours of sleep of neither light nor deep type, each instant once.';
comment on column sleep_week.unknown_hours  is 'Hours of sleep of neither light nor deep type.';
comment on table sleep_segment is 'Sleep as reported by devices: one row per element of a sleep document, however often it is sent. Segments may overlap; sleep_night merges them.';
comment on column sleep_segment.ts          is 'Event time of the sample that first contained it.';
comment on column sleep_segment.received_at is 'When the service received that upload.';
comment on column unknown_event_type.device_sn is 'First device that sent it. NULL: the upload had no serial.';
comment on table unknown_name is 'Names in uploads that the service does not know, each once. At most 1000: beyond that, the least frequent are deleted.';
comment on column unknown_name.kind      is 'Where the name was used: a field of a sample, of device_info or of an event, or an event_type.';
comment on column unknown_name.count     is 'How often it was sent.';
comment on column unknown_name.device_sn is 'First device that sent it. NULL: the upload had no serial.';
comment on table watch_log is 'Log lines of watches, each once, kept for a week (policy).';
comment on column watch_log.device_sn   is 'Serial number of the device. NULL: the line has none that can be read.';
comment on column watch_log.ts          is 'When the device wrote it; the time of receipt if the line has no usable time.';
comment on column watch_log.received_at is 'When the service received it.';
comment on column watch_log.level       is 'Level of the line, the word of the device, at most 32 bytes. NULL: none.';
comment on column watch_log.content     is 'The line; text beyond 16 KiB is cut off.';
comment on table workout is 'Workouts: one row per device, start and type. If it is sent again with other figures, the larger ones are kept, in any order.';
comment on column workout.ts          is 'Event time of the sample that first contained it.';
comment on column workout.received_at is 'When the service received that upload.';
comment on table workout_type is 'Names of the workout types. A DBA may add or rename one; no row of workout depends on it.';
comment on column workout_type.name is 'Name of the type, in English.';
