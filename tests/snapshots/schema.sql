table accepted_device_key_secret: Secrets of other cells: device keys that these cells made are accepted here, and none are made with them. Copied when devices move here. Any role that can read this table can make such keys.
    cell text not null: The cell that made the secret.
    generation integer not null: Number of the secret in that cell.
    secret bytea not null: The secret.
    ends_at timestamp with time zone: From then on keys of this secret are refused here. NULL: they are accepted.
    constraint accepted_device_key_secret_generation_check CHECK ((generation > 0))
    constraint accepted_device_key_secret_pkey PRIMARY KEY (cell, generation)
    constraint accepted_device_key_secret_secret_check CHECK ((octet_length(secret) = 32))
    CREATE TRIGGER accepted_device_key_secret_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON vitals.accepted_device_key_secret FOR EACH STATEMENT EXECUTE FUNCTION api_key_changed()
table access_log: Who looked at whose data: a row for each answer of a route or page that shows data of people; and who changed something over HTTP. Repeats of the same within a few minutes (the setting access_log_repeat_seconds) are one row, changes are not. It holds no health value. Kept for two years (policy).
    accessed_at timestamp with time zone not null: When.
    account_id bigint: Who: the account. NULL: an API key, a kiosk link, or authentication is off.
    key_id text: Who: the public part of the API key. NULL: it was none.
    kiosk_link_id bigint: Who: the kiosk link. NULL: it was none.
    name text not null: Name of the person, of the person of the key, or of the link, at that time.
    role text not null: What the caller might do at that time: viewer, responder or admin.
    within_customer_id bigint: Tenant to which the caller was limited. NULL: every tenant.
    within_org_id bigint: Unit to which the caller was limited. NULL: none.
    route text not null: The route, as in the OpenAPI document; of a change with its method in front.
    device_sn text: Whose: the device. NULL: a person, a list, or it was erased.
    user_id bigint: Whose: the person who wears devices. NULL: a device, a list, or it was erased.
    filter text: The query of the request, at most 1000 characters: what a list was filtered by; of a change, the numbers in its path. NULL: there was none, or it was erased.
    address inet not null: Address of the caller; of IPv6, the network of the subscriber.
    erased boolean not null default false: The device or person was erased since: who looked stays, at whom does not.
    constraint access_log_caller_check CHECK ((num_nonnulls(account_id, key_id, kiosk_link_id) <= 1))
    constraint access_log_filter_check CHECK ((char_length(filter) <= 1000))
    constraint access_log_subject_check CHECK ((num_nonnulls(device_sn, user_id) <= 1))
    CREATE INDEX access_log_accessed_at_idx ON public.access_log USING btree (accessed_at DESC)
    CREATE INDEX access_log_account_id_idx ON public.access_log USING btree (account_id, accessed_at DESC) WHERE (account_id IS NOT NULL)
    CREATE INDEX access_log_device_sn_idx ON public.access_log USING btree (device_sn, accessed_at DESC) WHERE (device_sn IS NOT NULL)
    CREATE INDEX access_log_user_id_idx ON public.access_log USING btree (user_id, accessed_at DESC) WHERE (user_id IS NOT NULL)
table account: People who log in. People who wear devices are in app_user. Made by `vitals people`, or at the first login through an OIDC provider. An account is disabled, never deleted: what was changed and looked at stands under its name.
    account_id bigint not null: Number of the account.
    login text not null: What the person types to log in, in lower case.
    name text not null: Name of the person. Changes stand under it, so no two accounts have the same.
    language text: Language of the pages: en or zh. NULL: that of the browser.
    oidc_issuer text: URL of the OIDC provider that vouches for the person. NULL: none does.
    oidc_subject text: Id of the person at that provider. NULL: there is no provider.
    created_at timestamp with time zone not null default now(): When it was made.
    created_by text not null default SESSION_USER: By whom: the name given, the provider, else the role.
    disabled_at timestamp with time zone: Since when nobody can log in with it. NULL: it is not disabled.
    logged_in_at timestamp with time zone: When the person last logged in. NULL: never.
    constraint account_language_check CHECK ((language = ANY (ARRAY['en'::text, 'zh'::text])))
    constraint account_login_check CHECK (((login ~ '^[^[:space:][:cntrl:]]{1,200}$'::text) AND (login = lower(login))))
    constraint account_login_key UNIQUE (login)
    constraint account_name_check CHECK (((name ~ '\S'::text) AND (char_length(name) <= 200)))
    constraint account_name_key UNIQUE (name)
    constraint account_oidc_check CHECK ((num_nulls(oidc_issuer, oidc_subject) = ANY (ARRAY[0, 2])))
    constraint account_oidc_key UNIQUE (oidc_issuer, oidc_subject)
    constraint account_pkey PRIMARY KEY (account_id)
    CREATE TRIGGER account_changed AFTER DELETE OR UPDATE OF login, name, language, disabled_at ON public.account FOR EACH STATEMENT EXECUTE FUNCTION account_changed()
    CREATE TRIGGER account_disabled AFTER UPDATE OF disabled_at ON public.account FOR EACH ROW WHEN ((new.disabled_at IS NOT NULL)) EXECUTE FUNCTION end_account_sessions()
table account_grant: What an account may see and do: a role in a tenant or a unit. A session works in one grant at a time.
    grant_id bigint not null: Number of the grant.
    account_id bigint not null: The account.
    role text not null: viewer (looks at data and alerts), responder (also acts on alerts and silences them), admin (also changes rules, contacts and the rest).
    customer_id bigint: Tenant. NULL: every tenant.
    org_id bigint: Organisation unit of the tenant, with its sub-units. NULL: not limited to a unit.
    source text not null default 'people'::text: people: by `vitals people`. oidc: from the groups that the provider reported at the last login; the next login replaces it.
    granted_at timestamp with time zone not null default now(): When it was made.
    granted_by text not null default SESSION_USER: By whom: the name given, the provider, else the role.
    constraint account_grant_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE
    constraint account_grant_customer_id_check CHECK ((customer_id > 0))
    constraint account_grant_key UNIQUE NULLS NOT DISTINCT (account_id, role, customer_id, org_id)
    constraint account_grant_org_id_check CHECK ((org_id > 0))
    constraint account_grant_pkey PRIMARY KEY (grant_id)
    constraint account_grant_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'responder'::text, 'admin'::text])))
    constraint account_grant_source_check CHECK ((source = ANY (ARRAY['people'::text, 'oidc'::text])))
    constraint account_grant_unit_check CHECK (((org_id IS NULL) OR (customer_id IS NOT NULL)))
    CREATE TRIGGER account_grant_changed AFTER INSERT OR DELETE OR UPDATE ON public.account_grant FOR EACH STATEMENT EXECUTE FUNCTION account_changed()
table account_password: Passwords of accounts. An account without a row logs in through its OIDC provider only.
    account_id bigint not null: The account.
    password_hash text not null: Argon2id hash of the password, with its parameters and salt (PHC string).
    changed_at timestamp with time zone not null default now(): When the person got this password. A hash that is made again with other parameters keeps the time.
    constraint account_password_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE
    constraint account_password_password_hash_check CHECK ((password_hash ~ '^\$argon2id\$'::text))
    constraint account_password_pkey PRIMARY KEY (account_id)
    CREATE TRIGGER account_password_changed AFTER DELETE OR UPDATE OF changed_at ON vitals.account_password FOR EACH ROW EXECUTE FUNCTION end_account_sessions()
table account_session: People who are logged in. A row ends with its grant, when the password changes, and when the account is disabled.
    session_id bigint not null: Number of the session.
    token_hash bytea not null: SHA-256 of the token in the cookie, which has 256 bits of entropy. Each login and each change of the grant makes a new token.
    account_id bigint not null: Who is logged in.
    grant_id bigint not null: The grant in use.
    created_at timestamp with time zone not null default now(): When the person logged in.
    seen_at timestamp with time zone not null default now(): When it was last used, to the minute; the setting login.idle_minutes counts from here.
    ends_at timestamp with time zone not null: When it ends even if it is in use.
    address inet not null: Address from which the person logged in; of IPv6, the network of the subscriber.
    user_agent text: What the browser called itself at login. NULL: nothing.
    constraint account_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE
    constraint account_session_ends_at_check CHECK ((ends_at > created_at))
    constraint account_session_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES account_grant(grant_id) ON DELETE CASCADE
    constraint account_session_pkey PRIMARY KEY (session_id)
    constraint account_session_token_hash_check CHECK ((octet_length(token_hash) = 32))
    constraint account_session_token_hash_key UNIQUE (token_hash)
    constraint account_session_user_agent_check CHECK ((char_length(user_agent) <= 300))
    CREATE INDEX account_session_account_id_idx ON vitals.account_session USING btree (account_id)
    CREATE INDEX account_session_grant_id_idx ON vitals.account_session USING btree (grant_id)
    CREATE TRIGGER account_session_changed AFTER DELETE OR UPDATE OF token_hash, grant_id, ends_at ON vitals.account_session FOR EACH STATEMENT EXECUTE FUNCTION account_changed()
table alert: One row per alert. At most one is open (firing or acknowledged) per device and rule: more breaches update it.
    alert_id bigint not null: Number of the alert.
    device_sn text not null: Serial number of the device.
    rule_id bigint not null: The rule that raised it.
    rule_version integer not null: Version of the rule at that time; see alert_rule_version.
    kind text not null: Kind of the rule: threshold, composite, event, silence.
    severity text not null: critical, major, minor or info: now, or when it ended.
    metric text: Vital sign that breached. NULL: kind is not threshold.
    event_type text: Type of the event. NULL: kind is not event.
    customer_id bigint: Tenant of its rows. With org_id and user_id: rows of another owner belong to another alert.
    org_id bigint: Organisation unit. NULL: not known.
    user_id bigint: Wearer. NULL: not known.
    status text not null default 'firing'::text: firing, acknowledged (a person has taken it on) or resolved.
    historical boolean not null default false: All its breaches were received late (see alert_rule.late_after_seconds): nobody was notified.
    started_ts timestamp with time zone not null: Event time of the first of the readings in a row that raised it.
    fired_ts timestamp with time zone not null: Event time of the reading that raised it.
    last_ts timestamp with time zone not null: Event time of the newest breach in it.
    ended_ts timestamp with time zone: Event time at which the device recovered, or the alert expired. NULL: it has not ended.
    judged_ts timestamp with time zone not null: Event time of the newest reading that was evaluated for it.
    breach_count integer not null default 1: Readings (events) that breached.
    last_value numeric: Newest breaching reading, in the unit of the metric. NULL: kind is not threshold.
    peak_value numeric: Breaching reading farthest from the bounds. NULL: kind is not threshold.
    last_text text: Value of the newest event. NULL: kind is not event, or it had none.
    latitude double precision: Where the device was when it fired, degrees north. NULL: not known.
    longitude double precision: Degrees east. NULL: not known.
    altitude double precision: Metres. NULL: not known.
    message text not null: Text of the notification when it fired.
    fired_at timestamp with time zone not null default clock_timestamp(): When the service raised it.
    updated_at timestamp with time zone not null default clock_timestamp(): When anything of it last changed.
    acknowledged_at timestamp with time zone: When a person acknowledged it. NULL: nobody has.
    acknowledged_by text: Who acknowledged it. NULL: nobody has.
    resolved_at timestamp with time zone: When it was resolved. NULL: it is open.
    resolved_by text: Who resolved it. NULL: it is open, or resolved by itself.
    resolution text: recovered, expired, manual (a person), rule_disabled, or retracted (late readings show that there was no alert). NULL: open.
    muted_until timestamp with time zone: After a person resolved the alert: until when the rule ignores breaches of the device while it has the same owner. NULL: no person resolved it.
    translations jsonb: rule (what the rule is called) and message in further languages, by language, as of when it fired. NULL: the rule had none.
    peak_severity text not null: The gravest severity that it has had.
    assigned_to bigint: Contact to whom the alert is assigned. NULL: to nobody.
    assigned_at timestamp with time zone: When it was last assigned, or taken from somebody. NULL: never.
    assigned_by text: Who did so. NULL: never.
    constraint alert_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES contact(contact_id) ON DELETE SET NULL
    constraint alert_muted_until_check CHECK (((NOT (resolution IS DISTINCT FROM 'manual'::text)) = (muted_until IS NOT NULL)))
    constraint alert_peak_severity_check CHECK ((array_position(ARRAY['info'::text, 'minor'::text, 'major'::text, 'critical'::text], peak_severity) >= array_position(ARRAY['info'::text, 'minor'::text, 'major'::text, 'critical'::text], severity)))
    constraint alert_pkey PRIMARY KEY (alert_id)
    constraint alert_resolution_check CHECK ((resolution = ANY (ARRAY['recovered'::text, 'expired'::text, 'manual'::text, 'rule_disabled'::text, 'retracted'::text])))
    constraint alert_resolved_check CHECK ((((status = 'resolved'::text) = (resolved_at IS NOT NULL)) AND ((resolved_at IS NULL) = (resolution IS NULL))))
    constraint alert_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES alert_rule(rule_id)
    constraint alert_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'info'::text])))
    constraint alert_status_check CHECK ((status = ANY (ARRAY['firing'::text, 'acknowledged'::text, 'resolved'::text])))
    constraint alert_times_check CHECK (((started_ts <= fired_ts) AND (fired_ts <= last_ts) AND (last_ts <= judged_ts)))
    CREATE INDEX alert_assigned_to_idx ON public.alert USING btree (assigned_to, fired_ts DESC) WHERE (assigned_to IS NOT NULL)
    CREATE INDEX alert_customer_fired_idx ON public.alert USING btree (customer_id, fired_ts DESC)
    CREATE INDEX alert_device_ended_idx ON public.alert USING btree (device_sn, COALESCE(ended_ts, 'infinity'::timestamp with time zone))
    CREATE INDEX alert_device_fired_idx ON public.alert USING btree (device_sn, fired_ts DESC)
    CREATE INDEX alert_expiring_idx ON public.alert USING btree (last_ts) WHERE (status <> 'resolved'::text)
    CREATE INDEX alert_fired_idx ON public.alert USING btree (fired_ts DESC, alert_id DESC)
    CREATE UNIQUE INDEX alert_open_key ON public.alert USING btree (device_sn, rule_id, customer_id, org_id, user_id) NULLS NOT DISTINCT WHERE (status <> 'resolved'::text)
    CREATE INDEX alert_resolved_at_idx ON public.alert USING btree (resolved_at) WHERE (status = 'resolved'::text)
    CREATE INDEX alert_rule_device_idx ON public.alert USING btree (rule_id, device_sn, started_ts DESC)
    CREATE TRIGGER alert_deleted AFTER DELETE ON public.alert REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION alert_deleted()
    CREATE TRIGGER alert_peak_severity BEFORE INSERT OR UPDATE OF severity, peak_severity ON public.alert FOR EACH ROW WHEN ((array_position(ARRAY['info'::text, 'minor'::text, 'major'::text, 'critical'::text], new.severity) > COALESCE(array_position(ARRAY['info'::text, 'minor'::text, 'major'::text, 'critical'::text], new.peak_severity), 0))) EXECUTE FUNCTION alert_peak_severity()
table alert_action: What happened to alerts, and who did it.
    alert_action_id bigint not null: Number of the entry; later entries have larger ones.
    alert_id bigint not null: The alert.
    acted_at timestamp with time zone not null default clock_timestamp(): When.
    action text not null: fired (also: a person raised the alarm once more), raised and lowered (its severity), reopened, acknowledged, assigned, unassigned, resolved, retracted, silenced (not notified because of a silence), escalated, noted.
    actor text: Who did it. NULL: the service.
    note text: Note of the person, or the reason. NULL: none.
    severity text: Severity of the alert from then on. NULL: the action is neither fired, raised nor lowered.
    event_ts timestamp with time zone: Event time of the reading at which the severity rose or fell. NULL: the action is neither raised nor lowered.
    key_id text default NULLIF(current_setting('vitals.key_id'::text, true), ''::text): The API key of the request that caused it. NULL: not by a request, or authentication is off.
    constraint alert_action_action_check CHECK ((action = ANY (ARRAY['fired'::text, 'raised'::text, 'lowered'::text, 'reopened'::text, 'acknowledged'::text, 'assigned'::text, 'unassigned'::text, 'resolved'::text, 'retracted'::text, 'silenced'::text, 'escalated'::text, 'noted'::text])))
    constraint alert_action_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(alert_id) ON DELETE CASCADE
    constraint alert_action_pkey PRIMARY KEY (alert_action_id)
    constraint alert_action_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'info'::text])))
    CREATE INDEX alert_action_alert_id_idx ON public.alert_action USING btree (alert_id, alert_action_id)
table alert_change: Alerts to be published to Redis again. Written with the change, deleted when it was published.
    change_id bigint not null: Number of the change.
    alert_id bigint not null: The alert; it may be deleted.
    device_sn text not null: Its device.
    created_at timestamp with time zone not null default clock_timestamp(): When it was written.
    lease_token uuid: Instance that is publishing it. NULL: none.
    leased_until timestamp with time zone: When the lease ends and another instance may take over. NULL: not leased.
    constraint alert_change_lease_check CHECK (((lease_token IS NULL) = (leased_until IS NULL)))
    constraint alert_change_pkey PRIMARY KEY (change_id)
table alert_rule: What raises an alert. A change is in force from the next batch on, in every instance; an invalid rule is refused with the reason.
    rule_id bigint not null: Number of the rule.
    name text not null: What people call it.
    kind text not null: threshold: a vital sign outside its bounds; composite: several conditions; event: a device sent an event; silence: a device sends nothing.
    enabled boolean not null default true: False: the rule is not evaluated, and its open alerts were resolved when it was disabled.
    customer_id bigint: Tenant whose samples it evaluates. NULL, with org_id, user_id and device_sn: all samples.
    replaces_rule_id bigint: Rule for everybody in whose place this one is applied to its tenant, unit, person or device. Of several the narrowest counts: device, person, the nearest unit, tenant; whether it is enabled or not. NULL: it is applied in addition.
    severity text not null: critical, major, minor or info; of a rule with levels, that of its lowest level.
    metric text: Vital sign, a column of health_data. NULL: kind is not threshold.
    min_value numeric: A reading below it breaches, in the unit of the metric; the bound itself does not. NULL: no lower bound.
    max_value numeric: A reading above it breaches; the bound itself does not. NULL: no upper bound.
    recovery_min_value numeric: A reading counts as recovered from here on. NULL: from min_value on.
    recovery_max_value numeric: A reading counts as recovered up to here. NULL: up to max_value.
    combine text: all or any of the conditions. NULL: kind is not composite.
    conditions jsonb: Array of {metric, min, max, duration_seconds}: the newest reading of the metric, not older than window_seconds, breaches, and has done so for that long. NULL: kind is not composite.
    event_type text: Short type, upper case, as in device_event. NULL: kind is not event.
    event_values text[]: Values of the event that raise the alert. NULL: any.
    recovery_values text[]: Values of the event that resolve it. NULL: none.
    silent_seconds integer: Time without a sample after which the device counts as silent, seconds. NULL: kind is not silence.
    consecutive integer not null default 1: Readings in a row that have to breach.
    window_seconds integer not null default 600: Time within which they have to lie, seconds.
    cooldown_seconds integer not null default 300: A breach this soon after the end of an alert reopens that alert instead of raising a new one, without a notification; after a person resolved the alert, breaches in this time are ignored. Seconds.
    recovery_count integer not null default 3: Readings in a row, within a day, that have to be recovered for the alert to resolve by itself.
    expire_seconds integer: Resolves by itself when nothing breached for so long, seconds. NULL: never.
    late_after_seconds integer not null default 900: A breach received this much later than it happened is late: an alert of late breaches only is historical, without a notification. Seconds.
    effective_from time without time zone: Breaches count from this local time on. NULL: the whole day.
    effective_until time without time zone: Breaches count until this local time, exclusive; before effective_from: of the next day. NULL with effective_from.
    effective_days smallint[]: Days on which breaches count, 1 Monday to 7 Sunday; after midnight it is still the day on which the hours began. NULL: every day.
    time_zone text: Zone of the effective hours and of times in messages (IANA name). NULL: that of the rollups.
    message text not null default '{wearer}: {rule}, {value}'::text: Text of the notification. Placeholders: {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time} {user} {org} {customer} {wearer} (names of the person and of the unit, if the directory has them, and the serial) {room}.
    version integer not null default 1: Number of the version, incremented by every change. alert_rule_version has the older versions.
    changed_at timestamp with time zone not null default now(): When it was last changed.
    changed_by text not null default CURRENT_USER: Who changed it: the setting vitals.actor of the session, else its role.
    org_id bigint: Organisation unit whose samples it evaluates, with those of its sub-units. NULL: it is not a rule of a unit.
    user_id bigint: Wearer whose samples it evaluates. NULL: it is not a rule of a person.
    device_sn text: Device whose samples it evaluates. NULL: it is not a rule of a device.
    levels jsonb: Graver levels, lowest first: an array of {severity, min, max}, each graver than the one before and with bounds at or outside its bounds. While readings lie outside the bounds of a level, the alert has its severity. NULL: the severity does not change.
    constraint alert_rule_combine_check CHECK ((combine = ANY (ARRAY['all'::text, 'any'::text])))
    constraint alert_rule_consecutive_check CHECK (((consecutive >= 1) AND (consecutive <= 100)))
    constraint alert_rule_cooldown_seconds_check CHECK (((cooldown_seconds >= 0) AND (cooldown_seconds <= 604800)))
    constraint alert_rule_customer_id_check CHECK ((customer_id > 0))
    constraint alert_rule_expire_seconds_check CHECK (((expire_seconds >= 1) AND (expire_seconds <= 31536000)))
    constraint alert_rule_kind_check CHECK ((kind = ANY (ARRAY['threshold'::text, 'composite'::text, 'event'::text, 'silence'::text])))
    constraint alert_rule_late_after_seconds_check CHECK (((late_after_seconds >= 0) AND (late_after_seconds <= 31536000)))
    constraint alert_rule_name_check CHECK (((name ~ '\S'::text) AND (char_length(name) <= 200)))
    constraint alert_rule_pkey PRIMARY KEY (rule_id)
    constraint alert_rule_recovery_count_check CHECK (((recovery_count >= 1) AND (recovery_count <= 100)))
    constraint alert_rule_replaces_rule_id_fkey FOREIGN KEY (replaces_rule_id) REFERENCES alert_rule(rule_id)
    constraint alert_rule_scope_check CHECK ((num_nonnulls(customer_id, org_id, user_id, device_sn) <= 1))
    constraint alert_rule_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'info'::text])))
    constraint alert_rule_silent_seconds_check CHECK (((silent_seconds >= 60) AND (silent_seconds <= 31536000)))
    constraint alert_rule_window_seconds_check CHECK (((window_seconds >= 1) AND (window_seconds <= 86400)))
    CREATE UNIQUE INDEX alert_rule_replaces_key ON public.alert_rule USING btree (replaces_rule_id, rule_scope(customer_id, org_id, user_id, device_sn)) WHERE (replaces_rule_id IS NOT NULL)
    CREATE TRIGGER alert_rule_changed AFTER INSERT OR UPDATE ON public.alert_rule FOR EACH ROW EXECUTE FUNCTION alert_rule_changed()
    CREATE TRIGGER alert_rule_check BEFORE INSERT OR UPDATE ON public.alert_rule FOR EACH ROW EXECUTE FUNCTION alert_rule_check()
    CREATE TRIGGER alert_rule_texts_outdated AFTER UPDATE OF name, message ON public.alert_rule FOR EACH ROW WHEN (((old.name IS DISTINCT FROM new.name) OR (old.message IS DISTINCT FROM new.message))) EXECUTE FUNCTION alert_rule_texts_outdated()
table alert_rule_text: Name and message of a rule in further languages; without a row, those of the rule are used. When the name or the message of the rule changes, its rows are deleted, because they would be outdated.
    rule_id bigint not null: The rule.
    language text not null: en (English) or zh (Chinese).
    name text not null: What people call the rule.
    message text not null: Text of the notification, with the placeholders of alert_rule.message.
    constraint alert_rule_text_language_check CHECK ((language = ANY (ARRAY['en'::text, 'zh'::text])))
    constraint alert_rule_text_message_check CHECK (((message ~ '\S'::text) AND (char_length(message) <= 1000)))
    constraint alert_rule_text_name_check CHECK (((name ~ '\S'::text) AND (char_length(name) <= 200)))
    constraint alert_rule_text_pkey PRIMARY KEY (rule_id, language)
    constraint alert_rule_text_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES alert_rule(rule_id) ON DELETE CASCADE
table alert_rule_version: Every version a rule ever had, the present one too.
    rule_id bigint not null: The rule; it may be deleted.
    version integer not null: Its version.
    changed_at timestamp with time zone not null: When this version was made.
    changed_by text not null: Who made this version.
    rule jsonb not null: The whole row of alert_rule.
    constraint alert_rule_version_pkey PRIMARY KEY (rule_id, version)
table alert_silence: While a silence is in force, alerts that match everything it names are raised and stored, but nobody is notified.
    silence_id bigint not null: Number of the silence.
    customer_id bigint: Tenant. NULL: any.
    org_id bigint: Organisation unit, its sub-units too. NULL: any.
    device_sn text: Device. NULL: any.
    rule_id bigint: Rule. NULL: any.
    starts_at timestamp with time zone not null default now(): Since when.
    ends_at timestamp with time zone not null: Until when, exclusive. Ending one early is an update of this.
    actor text not null: Who asked for it.
    note text: Reason. NULL: none was given.
    created_at timestamp with time zone not null default now(): When it was asked for.
    key_id text default NULLIF(current_setting('vitals.key_id'::text, true), ''::text): The API key of the request that created it. NULL: not by a request, or authentication is off.
    constraint alert_silence_pkey PRIMARY KEY (silence_id)
    constraint alert_silence_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES alert_rule(rule_id) ON DELETE CASCADE
    constraint alert_silence_scope_check CHECK ((num_nonnulls(customer_id, org_id, device_sn, rule_id) > 0))
    constraint alert_silence_span_check CHECK ((starts_at < ends_at))
    CREATE INDEX alert_silence_ends_at_idx ON public.alert_silence USING btree (ends_at)
table api_key: Keys of the HTTP interface. Every running service applies a change at once. Created by `vitals keys`; the secret itself is not stored.
    key_id text not null: Public part of the key: the text between vk_ and the secret.
    name text not null: Purpose, for people. No two keys that are not revoked have the same name.
    customer_id bigint: Tenant it is for: it writes for no other, and sees no other. NULL: every tenant.
    scopes text[] not null: What it may do: upload (what devices send), read (GET below /api/, /metrics), respond (read alerts, act on them and silence them), admin (everything else below /api/; for keys of all tenants only).
    secret_hash bytea not null: SHA-256 of the secret. The secret has 256 bits of entropy, so it cannot be guessed; a slow hash is for passwords, which people choose.
    previous_hash bytea: SHA-256 of the secret before the last rotation. NULL: the key was never rotated, or that secret was ended.
    previous_until timestamp with time zone: Until when the previous secret works too. NULL: there is none.
    created_at timestamp with time zone not null default now(): When it was made.
    created_by text not null default SESSION_USER: Who created it: the name given, else the role.
    rotated_at timestamp with time zone: When it last got a new secret. NULL: it has its first.
    expires_at timestamp with time zone: From then on the key no longer works. NULL: it works until it is revoked.
    revoked_at timestamp with time zone: When it was revoked. NULL: it was not.
    last_used_at timestamp with time zone: When it was last used, to the minute. NULL: never.
    org_id bigint: Organisation unit of the key, with its sub-units: it sees only their people and devices, and sees and changes only their alerts. NULL: not limited to a unit.
    actor text: The person to whom the key belongs: the actor of all that is done with it. NULL: the key belongs to no person.
    may_vouch boolean not null default false: Whether a request with this key may name another actor, for whom the owner of the key vouches.
    constraint api_key_actor_check CHECK (((actor ~ '\S'::text) AND (char_length(actor) <= 200)))
    constraint api_key_admin_check CHECK (((customer_id IS NULL) OR (NOT ('admin'::text = ANY (scopes)))))
    constraint api_key_customer_id_check CHECK ((customer_id > 0))
    constraint api_key_expires_at_check CHECK ((expires_at > created_at))
    constraint api_key_key_id_check CHECK ((key_id ~ '^[0-9a-f]{12}$'::text))
    constraint api_key_name_check CHECK (((btrim(name) <> ''::text) AND (char_length(name) <= 100) AND (name !~ '^[0-9a-f]{12}$'::text)))
    constraint api_key_org_id_check CHECK ((org_id > 0))
    constraint api_key_pkey PRIMARY KEY (key_id)
    constraint api_key_previous_check CHECK ((num_nulls(previous_hash, previous_until) = ANY (ARRAY[0, 2])))
    constraint api_key_respond_check CHECK (((NOT ('respond'::text = ANY (scopes))) OR (actor IS NOT NULL) OR may_vouch))
    constraint api_key_scopes_check CHECK (((scopes <@ '{upload,read,respond,admin}'::text[]) AND (cardinality(scopes) > 0)))
    constraint api_key_secret_hash_check CHECK (((octet_length(secret_hash) = 32) AND (octet_length(previous_hash) = 32)))
    constraint api_key_unit_check CHECK (((org_id IS NULL) OR ((customer_id IS NOT NULL) AND (scopes <@ '{read,respond}'::text[]))))
    CREATE UNIQUE INDEX api_key_name_key ON public.api_key USING btree (name) WHERE (revoked_at IS NULL)
    CREATE TRIGGER api_key_changed AFTER INSERT OR DELETE OR UPDATE OF key_id, customer_id, org_id, actor, may_vouch, scopes, secret_hash, previous_hash, previous_until, expires_at, revoked_at ON public.api_key FOR EACH STATEMENT EXECUTE FUNCTION api_key_changed()
    CREATE TRIGGER api_key_stays_revoked BEFORE UPDATE OF revoked_at ON public.api_key FOR EACH ROW WHEN (((old.revoked_at IS NOT NULL) AND (new.revoked_at IS DISTINCT FROM old.revoked_at))) EXECUTE FUNCTION api_key_stays_revoked()
    CREATE TRIGGER api_key_truncated AFTER TRUNCATE ON public.api_key FOR EACH STATEMENT EXECUTE FUNCTION api_key_changed()
table app_user: People who wear devices.
    user_id bigint not null: Wearer, 64 bit, given from outside.
    org_id bigint: Organisation unit the user sits in. NULL: none, and so no tenant either.
    name text: Name, for people. NULL: not known.
    room text: Where the person is found, such as "12" or "3 North, bed 4"; messages name it. NULL: not known.
    constraint app_user_org_id_fkey FOREIGN KEY (org_id) REFERENCES org_unit(org_id) DEFERRABLE
    constraint app_user_pkey PRIMARY KEY (user_id)
    constraint app_user_room_check CHECK (((room ~ '\S'::text) AND (char_length(room) <= 100)))
    constraint app_user_user_id_check CHECK ((user_id > 0))
    CREATE INDEX app_user_org_id_idx ON public.app_user USING btree (org_id)
    CREATE TRIGGER app_user_inserted AFTER INSERT ON public.app_user REFERENCING NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION app_user_inserted()
    CREATE TRIGGER app_user_lock BEFORE UPDATE ON public.app_user FOR EACH STATEMENT EXECUTE FUNCTION directory_lock()
    CREATE TRIGGER app_user_updated AFTER UPDATE ON public.app_user REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION app_user_changed()
table backfill: Files of history that were imported: how far, and the counts of their records. Written with the rows, so that an interrupted import continues.
    backfill_id bigint not null: Its number.
    file_hash text not null: SHA-256 of the file: a renamed file is the same file.
    file_bytes bigint not null: Its size, bytes.
    offset_bytes bigint not null default 0: Everything before this byte is committed.
    lines bigint not null default 0: Lines before it, the names of columns not counted.
    stored bigint not null default 0: Records that became new rows.
    duplicate bigint not null default 0: Records that were there already.
    rejected bigint not null default 0: Records that are in rejected_upload.
    started_at timestamp with time zone not null default now(): When the import started.
    advanced_at timestamp with time zone not null default now(): When the import last advanced.
    ended_at timestamp with time zone: When the last line was committed. NULL: the import is running or was interrupted.
    constraint backfill_file_hash_key UNIQUE (file_hash)
    constraint backfill_offset_bytes_check CHECK (((offset_bytes >= 0) AND (offset_bytes <= file_bytes)))
    constraint backfill_pkey PRIMARY KEY (backfill_id)
table cell: One row: the name of this database among several that share the tenants.
    only_row boolean not null default true: True: there is one row.
    name text not null default 'main'::text: Name of this cell: lower-case letters, digits and _, at most 31.
    constraint cell_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,30}$'::text))
    constraint cell_only_row_check CHECK (only_row)
    constraint cell_pkey PRIMARY KEY (only_row)
table cell_url: Where each cell is reached, this one included; the same rows in every cell.
    cell text not null: Name of the cell, as vitals.cell in it has it.
    public_url text not null: Base of the URLs that watches are given, without a slash at its end.
    internal_url text: Where other cells pass uploads on to, without a slash at its end. NULL: to public_url.
    constraint cell_url_cell_check CHECK ((cell ~ '^[a-z][a-z0-9_]{0,30}$'::text))
    constraint cell_url_internal_url_check CHECK (((internal_url ~ '^https?://[^;/[:space:]][^;[:space:]]*$'::text) AND (internal_url !~ '/$'::text)))
    constraint cell_url_pkey PRIMARY KEY (cell)
    constraint cell_url_public_url_check CHECK (((public_url ~ '^https?://[^;/[:space:]][^;[:space:]]*$'::text) AND (public_url !~ '/$'::text)))
    CREATE TRIGGER cell_url_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON vitals.cell_url FOR EACH STATEMENT EXECUTE FUNCTION placement_changed()
table contact: A person, group or system that can be notified of alerts: a wearer, a nurse, a ward, a pager.
    contact_id bigint not null: Number of the contact.
    name text not null: For people.
    user_id bigint: The user this contact is: routes to the wearer notify it of alerts of their own device. NULL: not a wearer.
    language text: In which language they are notified: en (English) or zh (Chinese). NULL: in that of the service (setting language).
    constraint contact_language_check CHECK ((language = ANY (ARRAY['en'::text, 'zh'::text])))
    constraint contact_pkey PRIMARY KEY (contact_id)
    constraint contact_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user(user_id) ON DELETE CASCADE
    CREATE INDEX contact_user_id_idx ON public.contact USING btree (user_id)
table contact_address: Where a contact is reached.
    contact_id bigint not null: The contact.
    channel text not null: wechat (official account), wecom (application message), wecom_robot, dingtalk_robot, feishu_robot (group robots), sms, email, webhook.
    address text not null: wechat: openid; wecom: user id; wecom_robot: key of the robot; dingtalk_robot, feishu_robot: token of the robot, without the rest of its URL; sms: number in the form of E.164 (+8613800138000); email: address; webhook: URL.
    secret text: webhook: the key its messages are signed with, whsec_ and base64 (Standard Webhooks); dingtalk_robot, feishu_robot: secret of the robot. NULL: not signed (robots: signed if the settings have a secret); other channels.
    enabled boolean not null default true: False: not used.
    address_id bigint not null: Number of the address.
    tested_at timestamp with time zone: When the last test message was sent there. NULL: none was, or the address has changed since.
    tested_by text: Who sent it. NULL with tested_at.
    test_error text: Why it was not delivered, in the words of the channel. NULL: it was delivered, or none was sent.
    constraint contact_address_address_check CHECK (((address ~ '\S'::text) AND (octet_length(address) <= 2000)))
    constraint contact_address_address_id_key UNIQUE (address_id)
    constraint contact_address_channel_check CHECK ((channel = ANY (ARRAY['wechat'::text, 'wecom'::text, 'wecom_robot'::text, 'dingtalk_robot'::text, 'feishu_robot'::text, 'sms'::text, 'email'::text, 'webhook'::text])))
    constraint contact_address_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contact(contact_id) ON DELETE CASCADE
    constraint contact_address_form_check CHECK (
CASE
    WHEN (channel = ANY (ARRAY['dingtalk_robot'::text, 'feishu_robot'::text])) THEN (address ~ '^[A-Za-z0-9_-]+$'::text)
    WHEN (channel = 'sms'::text) THEN (address ~ '^\+[1-9][0-9]{6,14}$'::text)
    ELSE true
END)
    constraint contact_address_pkey PRIMARY KEY (contact_id, channel, address)
    constraint contact_address_test_check CHECK (((num_nulls(tested_at, tested_by) = ANY (ARRAY[0, 2])) AND ((test_error IS NULL) OR (tested_at IS NOT NULL))))
table customer: One row per tenant that has a name. Tenants that only the organisation units name are tenants all the same.
    customer_id bigint not null: Tenant, 64 bit, given from outside. 0: no tenant, and the defaults for all tenants.
    name text not null: What watches show as their customer.
    constraint customer_customer_id_check CHECK ((customer_id >= 0))
    constraint customer_pkey PRIMARY KEY (customer_id)
view dashboard."position".device_sn text: Serial number of the device.
view dashboard."position".ts timestamp with time zone: When the sample was taken.
view dashboard."position".latitude double precision: Degrees north, WGS 84.
view dashboard."position".longitude double precision: Degrees east.
view dashboard."position".altitude double precision: Metres. NULL: not sent.
view dashboard."position".user_id bigint: Wearer at that time. NULL: nobody.
view dashboard."position".org_id bigint: Organisation unit of the wearer. NULL: none.
view dashboard."position".customer_id bigint: Tenant. NULL: none.
view dashboard."position".cell text: The cell it is in: the database, where several share the tenants.
view dashboard.alert.alert_id bigint: Number of the alert.
view dashboard.alert.device_sn text: Serial number of the device.
view dashboard.alert.rule_id bigint: The rule that raised it.
view dashboard.alert.rule_name text: What people call the rule.
view dashboard.alert.kind text: Kind of the rule: threshold, composite, event, silence.
view dashboard.alert.severity text: critical, major, minor or info: now, or when it ended.
view dashboard.alert.type text: Subject: the type of the event, the vital sign, or else the kind of the rule.
view dashboard.alert.status text: firing, acknowledged (a person takes care of it) or resolved.
view dashboard.alert.historical boolean: Whether all its breaches were received late: nobody was notified.
view dashboard.alert.fired_ts timestamp with time zone: Event time of the reading that raised it.
view dashboard.alert.last_ts timestamp with time zone: Event time of the newest breach in it.
view dashboard.alert.fired_at timestamp with time zone: When the service raised it.
view dashboard.alert.breach_count integer: Readings (events) that breached.
view dashboard.alert.last_value numeric: Newest breaching reading, in the unit of the vital sign. NULL: kind is not threshold.
view dashboard.alert.peak_value numeric: Breaching reading farthest from the bounds. NULL: kind is not threshold.
view dashboard.alert.message text: Text of the notification when it fired.
view dashboard.alert.acknowledged_at timestamp with time zone: When a person acknowledged it. NULL: nobody has.
view dashboard.alert.acknowledged_by text: Who acknowledged it. NULL: nobody has.
view dashboard.alert.resolved_at timestamp with time zone: When it was resolved. NULL: it is open.
view dashboard.alert.resolution text: How it ended: recovered, expired, manual, rule_disabled, retracted. NULL: it is open.
view dashboard.alert.latitude double precision: Where the device was when it fired, degrees north. NULL: not known.
view dashboard.alert.longitude double precision: Degrees east. NULL: not known.
view dashboard.alert.user_id bigint: Wearer. NULL: not known.
view dashboard.alert.user_name text: Name of the wearer. NULL: not known.
view dashboard.alert.org_id bigint: Organisation unit. NULL: not known.
view dashboard.alert.org_name text: Its name. NULL: not known.
view dashboard.alert.customer_id bigint: Tenant. NULL: not known.
view dashboard.alert.peak_severity text: The gravest severity that it has had.
view dashboard.alert.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.clock.time_zone text: Zone in which days are cut (IANA name).
view dashboard.clock.today timestamp with time zone: Start of today.
view dashboard.clock.yesterday timestamp with time zone: Start of yesterday.
view dashboard.clock.cell text: The cell this is: the database, where several share the tenants.
view dashboard.device.device_sn text: Serial number of the device.
view dashboard.device.first_seen_at timestamp with time zone: When the service first reacted to data of the device.
view dashboard.device.info_ts timestamp with time zone: Effective time of its newest device information: the event time, or the time of receipt if it is dated ahead. NULL: none was received.
view dashboard.device.model text: Model. NULL: not sent.
view dashboard.device.system_version text: Software. NULL: not sent.
view dashboard.device.battery_level smallint: Charge of the battery, percent. NULL: not sent.
view dashboard.device.voltage integer: Voltage of the battery, as sent. NULL: not sent.
view dashboard.device.charging_status text: CHARGING, NOT_CHARGING or UNKNOWN. NULL: not sent.
view dashboard.device.wear_state text: Whether it is worn, as sent: 1 worn, 0 not. NULL: not sent.
view dashboard.device.network_mode text: Type of its network connection, as sent. NULL: not sent.
view dashboard.device.status text: State that the device reports, as sent. NULL: not sent.
view dashboard.device.user_id bigint: Wearer. NULL: nobody.
view dashboard.device.user_name text: Name of the wearer. NULL: nobody, or not known.
view dashboard.device.org_id bigint: Organisation unit of the wearer. NULL: none.
view dashboard.device.org_name text: Its name. NULL: none, or not known.
view dashboard.device.customer_id bigint: Tenant. NULL: none.
view dashboard.device.customer_name text: Its name. NULL: none, or not known.
view dashboard.device.clock_offset_seconds integer: How far its clock is behind, seconds; negative: it is ahead. NULL: not known to be more than a minute off.
view dashboard.device.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.device_binding.device_sn text: Serial number of the device.
view dashboard.device_binding.user_id bigint: Who wears it.
view dashboard.device_binding.user_name text: Name of the wearer. NULL: not known.
view dashboard.device_binding.org_id bigint: Organisation unit of the wearer today. NULL: none.
view dashboard.device_binding.org_name text: Its name. NULL: none, or not known.
view dashboard.device_binding.customer_id bigint: Tenant. NULL: none.
view dashboard.device_binding.valid_from timestamp with time zone: Since when. NULL: it is the first binding of the device, and what the device sent before belongs to it too.
view dashboard.device_binding.valid_until timestamp with time zone: Until when, exclusive. NULL: it has not ended.
view dashboard.device_binding.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.event.device_sn text: Serial number of the device.
view dashboard.event.event_type text: Type, upper case.
view dashboard.event.ts timestamp with time zone: When it happened.
view dashboard.event.severity text: Severity of the type when the event was stored: critical, major, minor or info.
view dashboard.event.value text: Value that was sent with it. NULL: none.
view dashboard.event.latitude double precision: Degrees north. NULL: no position.
view dashboard.event.longitude double precision: Degrees east. NULL: no position.
view dashboard.event.altitude double precision: Metres. NULL: none.
view dashboard.event.received_at timestamp with time zone: When the service received it.
view dashboard.event.user_id bigint: Wearer at that time. NULL: nobody.
view dashboard.event.user_name text: Name of the wearer. NULL: nobody, or not known.
view dashboard.event.org_id bigint: Organisation unit of the wearer. NULL: none.
view dashboard.event.customer_id bigint: Tenant. NULL: none.
view dashboard.event.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.exercise_day.device_sn text: Serial number of the device.
view dashboard.exercise_day.day date: Local day of the device.
view dashboard.exercise_day.strength_minutes numeric: Minutes at medium or high intensity. NULL: not sent.
view dashboard.exercise_day.active_hours numeric: Hours with activity. NULL: not sent.
view dashboard.exercise_day.steps integer: Steps. NULL: not sent.
view dashboard.exercise_day.user_id bigint: Wearer on that day. NULL: nobody, or several.
view dashboard.exercise_day.org_id bigint: Organisation unit of the wearers. NULL: none, or several.
view dashboard.exercise_day.customer_id bigint: Tenant. NULL: none, or several.
view dashboard.exercise_day.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.health_15m.device_sn text: Serial number of the device.
view dashboard.health_15m.bucket timestamp with time zone: Start of the quarter hour.
view dashboard.health_15m.samples bigint: Rows of health_data in the quarter hour.
view dashboard.health_15m.first_ts timestamp with time zone: Event time of the first of them.
view dashboard.health_15m.last_ts timestamp with time zone: Event time of the last of them.
view dashboard.health_15m.heart_rate_min smallint: Lowest heart rate, beats per minute. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_max smallint: Highest heart rate, beats per minute. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_sum bigint: Sum of all readings of heart rate, beats per minute. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_count bigint: Readings of heart rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.heart_rate_avg numeric: Mean heart rate over all readings, beats per minute: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_oxygen_min smallint: Lowest SpO2, percent. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_oxygen_max smallint: Highest SpO2, percent. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_oxygen_sum bigint: Sum of all readings of SpO2, percent. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_oxygen_count bigint: Readings of SpO2. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.blood_oxygen_avg numeric: Mean SpO2 over all readings, percent: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.temperature_min numeric: Lowest body temperature, degrees Celsius. NULL: not measured in the quarter hour.
view dashboard.health_15m.temperature_max numeric: Highest body temperature, degrees Celsius. NULL: not measured in the quarter hour.
view dashboard.health_15m.temperature_sum numeric: Sum of all readings of body temperature, degrees Celsius. NULL: not measured in the quarter hour.
view dashboard.health_15m.temperature_count bigint: Readings of body temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.temperature_avg numeric: Mean body temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_high_min smallint: Lowest systolic pressure (derived by the watch), mmHg. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_high_max smallint: Highest systolic pressure (derived by the watch), mmHg. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_high_sum bigint: Sum of all readings of systolic pressure (derived by the watch), mmHg. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_high_count bigint: Readings of systolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.pressure_high_avg numeric: Mean systolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_low_min smallint: Lowest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_low_max smallint: Highest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_low_sum bigint: Sum of all readings of diastolic pressure (derived by the watch), mmHg. NULL: not measured in the quarter hour.
view dashboard.health_15m.pressure_low_count bigint: Readings of diastolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.pressure_low_avg numeric: Mean diastolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.stress_min smallint: Lowest stress, score 1 to 100. NULL: not measured in the quarter hour.
view dashboard.health_15m.stress_max smallint: Highest stress, score 1 to 100. NULL: not measured in the quarter hour.
view dashboard.health_15m.stress_sum bigint: Sum of all readings of stress, score 1 to 100. NULL: not measured in the quarter hour.
view dashboard.health_15m.stress_count bigint: Readings of stress. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.stress_avg numeric: Mean stress over all readings, score 1 to 100: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.step_max integer: Steps of the local day so far, the highest in the quarter hour, count. NULL: not sent.
view dashboard.health_15m.distance_max numeric: Distance of the local day so far, the highest in the quarter hour, metres. NULL: not sent.
view dashboard.health_15m.calorie_max numeric: Energy of the local day so far, the highest in the quarter hour, small calories. NULL: not sent.
view dashboard.health_15m.respiratory_rate_min numeric: Lowest respiratory rate, breaths per minute. NULL: not measured in the quarter hour.
view dashboard.health_15m.respiratory_rate_max numeric: Highest respiratory rate, breaths per minute. NULL: not measured in the quarter hour.
view dashboard.health_15m.respiratory_rate_sum numeric: Sum of all readings of respiratory rate, breaths per minute. NULL: not measured in the quarter hour.
view dashboard.health_15m.respiratory_rate_count bigint: Readings of respiratory rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.respiratory_rate_avg numeric: Mean respiratory rate over all readings, breaths per minute: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_variability_min numeric: Lowest heart rate variability (RMSSD), milliseconds. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_variability_max numeric: Highest heart rate variability (RMSSD), milliseconds. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_variability_sum numeric: Sum of all readings of heart rate variability (RMSSD), milliseconds. NULL: not measured in the quarter hour.
view dashboard.health_15m.heart_rate_variability_count bigint: Readings of heart rate variability (RMSSD). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.heart_rate_variability_avg numeric: Mean heart rate variability (RMSSD) over all readings, milliseconds: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_glucose_min numeric: Lowest blood glucose, mmol/L. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_glucose_max numeric: Highest blood glucose, mmol/L. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_glucose_sum numeric: Sum of all readings of blood glucose, mmol/L. NULL: not measured in the quarter hour.
view dashboard.health_15m.blood_glucose_count bigint: Readings of blood glucose. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.blood_glucose_avg numeric: Mean blood glucose over all readings, mmol/L: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.skin_temperature_min numeric: Lowest skin temperature, degrees Celsius. NULL: not measured in the quarter hour.
view dashboard.health_15m.skin_temperature_max numeric: Highest skin temperature, degrees Celsius. NULL: not measured in the quarter hour.
view dashboard.health_15m.skin_temperature_sum numeric: Sum of all readings of skin temperature, degrees Celsius. NULL: not measured in the quarter hour.
view dashboard.health_15m.skin_temperature_count bigint: Readings of skin temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_15m.skin_temperature_avg numeric: Mean skin temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the quarter hour.
view dashboard.health_15m.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.health_daily.device_sn text: Serial number of the device.
view dashboard.health_daily.bucket timestamp with time zone: Start of the day.
view dashboard.health_daily.samples bigint: Rows of health_data in the day.
view dashboard.health_daily.first_ts timestamp with time zone: Event time of the first of them.
view dashboard.health_daily.last_ts timestamp with time zone: Event time of the last of them.
view dashboard.health_daily.heart_rate_min smallint: Lowest heart rate, beats per minute. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_max smallint: Highest heart rate, beats per minute. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_sum bigint: Sum of all readings of heart rate, beats per minute. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_count bigint: Readings of heart rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.heart_rate_avg numeric: Mean heart rate over all readings, beats per minute: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.blood_oxygen_min smallint: Lowest SpO2, percent. NULL: not measured in the day.
view dashboard.health_daily.blood_oxygen_max smallint: Highest SpO2, percent. NULL: not measured in the day.
view dashboard.health_daily.blood_oxygen_sum bigint: Sum of all readings of SpO2, percent. NULL: not measured in the day.
view dashboard.health_daily.blood_oxygen_count bigint: Readings of SpO2. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.blood_oxygen_avg numeric: Mean SpO2 over all readings, percent: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.temperature_min numeric: Lowest body temperature, degrees Celsius. NULL: not measured in the day.
view dashboard.health_daily.temperature_max numeric: Highest body temperature, degrees Celsius. NULL: not measured in the day.
view dashboard.health_daily.temperature_sum numeric: Sum of all readings of body temperature, degrees Celsius. NULL: not measured in the day.
view dashboard.health_daily.temperature_count bigint: Readings of body temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.temperature_avg numeric: Mean body temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.pressure_high_min smallint: Lowest systolic pressure (derived by the watch), mmHg. NULL: not measured in the day.
view dashboard.health_daily.pressure_high_max smallint: Highest systolic pressure (derived by the watch), mmHg. NULL: not measured in the day.
view dashboard.health_daily.pressure_high_sum bigint: Sum of all readings of systolic pressure (derived by the watch), mmHg. NULL: not measured in the day.
view dashboard.health_daily.pressure_high_count bigint: Readings of systolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.pressure_high_avg numeric: Mean systolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.pressure_low_min smallint: Lowest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the day.
view dashboard.health_daily.pressure_low_max smallint: Highest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the day.
view dashboard.health_daily.pressure_low_sum bigint: Sum of all readings of diastolic pressure (derived by the watch), mmHg. NULL: not measured in the day.
view dashboard.health_daily.pressure_low_count bigint: Readings of diastolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.pressure_low_avg numeric: Mean diastolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.stress_min smallint: Lowest stress, score 1 to 100. NULL: not measured in the day.
view dashboard.health_daily.stress_max smallint: Highest stress, score 1 to 100. NULL: not measured in the day.
view dashboard.health_daily.stress_sum bigint: Sum of all readings of stress, score 1 to 100. NULL: not measured in the day.
view dashboard.health_daily.stress_count bigint: Readings of stress. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.stress_avg numeric: Mean stress over all readings, score 1 to 100: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.step_max integer: Steps of the day, count. NULL: not sent.
view dashboard.health_daily.distance_max numeric: Distance of the day, metres. NULL: not sent.
view dashboard.health_daily.calorie_max numeric: Energy of the day, small calories. NULL: not sent.
view dashboard.health_daily.respiratory_rate_min numeric: Lowest respiratory rate, breaths per minute. NULL: not measured in the day.
view dashboard.health_daily.respiratory_rate_max numeric: Highest respiratory rate, breaths per minute. NULL: not measured in the day.
view dashboard.health_daily.respiratory_rate_sum numeric: Sum of all readings of respiratory rate, breaths per minute. NULL: not measured in the day.
view dashboard.health_daily.respiratory_rate_count bigint: Readings of respiratory rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.respiratory_rate_avg numeric: Mean respiratory rate over all readings, breaths per minute: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_variability_min numeric: Lowest heart rate variability (RMSSD), milliseconds. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_variability_max numeric: Highest heart rate variability (RMSSD), milliseconds. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_variability_sum numeric: Sum of all readings of heart rate variability (RMSSD), milliseconds. NULL: not measured in the day.
view dashboard.health_daily.heart_rate_variability_count bigint: Readings of heart rate variability (RMSSD). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.heart_rate_variability_avg numeric: Mean heart rate variability (RMSSD) over all readings, milliseconds: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.blood_glucose_min numeric: Lowest blood glucose, mmol/L. NULL: not measured in the day.
view dashboard.health_daily.blood_glucose_max numeric: Highest blood glucose, mmol/L. NULL: not measured in the day.
view dashboard.health_daily.blood_glucose_sum numeric: Sum of all readings of blood glucose, mmol/L. NULL: not measured in the day.
view dashboard.health_daily.blood_glucose_count bigint: Readings of blood glucose. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.blood_glucose_avg numeric: Mean blood glucose over all readings, mmol/L: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.skin_temperature_min numeric: Lowest skin temperature, degrees Celsius. NULL: not measured in the day.
view dashboard.health_daily.skin_temperature_max numeric: Highest skin temperature, degrees Celsius. NULL: not measured in the day.
view dashboard.health_daily.skin_temperature_sum numeric: Sum of all readings of skin temperature, degrees Celsius. NULL: not measured in the day.
view dashboard.health_daily.skin_temperature_count bigint: Readings of skin temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_daily.skin_temperature_avg numeric: Mean skin temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the day.
view dashboard.health_daily.day date: The date of the bucket, the first one of weeks and months, in the zone of the rollup (Asia/Shanghai).
view dashboard.health_daily.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.health_hourly.device_sn text: Serial number of the device.
view dashboard.health_hourly.bucket timestamp with time zone: Start of the hour.
view dashboard.health_hourly.samples bigint: Rows of health_data in the hour.
view dashboard.health_hourly.first_ts timestamp with time zone: Event time of the first of them.
view dashboard.health_hourly.last_ts timestamp with time zone: Event time of the last of them.
view dashboard.health_hourly.heart_rate_min smallint: Lowest heart rate, beats per minute. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_max smallint: Highest heart rate, beats per minute. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_sum bigint: Sum of all readings of heart rate, beats per minute. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_count bigint: Readings of heart rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.heart_rate_avg numeric: Mean heart rate over all readings, beats per minute: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.blood_oxygen_min smallint: Lowest SpO2, percent. NULL: not measured in the hour.
view dashboard.health_hourly.blood_oxygen_max smallint: Highest SpO2, percent. NULL: not measured in the hour.
view dashboard.health_hourly.blood_oxygen_sum bigint: Sum of all readings of SpO2, percent. NULL: not measured in the hour.
view dashboard.health_hourly.blood_oxygen_count bigint: Readings of SpO2. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.blood_oxygen_avg numeric: Mean SpO2 over all readings, percent: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.temperature_min numeric: Lowest body temperature, degrees Celsius. NULL: not measured in the hour.
view dashboard.health_hourly.temperature_max numeric: Highest body temperature, degrees Celsius. NULL: not measured in the hour.
view dashboard.health_hourly.temperature_sum numeric: Sum of all readings of body temperature, degrees Celsius. NULL: not measured in the hour.
view dashboard.health_hourly.temperature_count bigint: Readings of body temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.temperature_avg numeric: Mean body temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_high_min smallint: Lowest systolic pressure (derived by the watch), mmHg. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_high_max smallint: Highest systolic pressure (derived by the watch), mmHg. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_high_sum bigint: Sum of all readings of systolic pressure (derived by the watch), mmHg. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_high_count bigint: Readings of systolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.pressure_high_avg numeric: Mean systolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_low_min smallint: Lowest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_low_max smallint: Highest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_low_sum bigint: Sum of all readings of diastolic pressure (derived by the watch), mmHg. NULL: not measured in the hour.
view dashboard.health_hourly.pressure_low_count bigint: Readings of diastolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.pressure_low_avg numeric: Mean diastolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.stress_min smallint: Lowest stress, score 1 to 100. NULL: not measured in the hour.
view dashboard.health_hourly.stress_max smallint: Highest stress, score 1 to 100. NULL: not measured in the hour.
view dashboard.health_hourly.stress_sum bigint: Sum of all readings of stress, score 1 to 100. NULL: not measured in the hour.
view dashboard.health_hourly.stress_count bigint: Readings of stress. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.stress_avg numeric: Mean stress over all readings, score 1 to 100: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.step_max integer: Steps of the local day so far, the highest in the hour, count. NULL: not sent.
view dashboard.health_hourly.distance_max numeric: Distance of the local day so far, the highest in the hour, metres. NULL: not sent.
view dashboard.health_hourly.calorie_max numeric: Energy of the local day so far, the highest in the hour, small calories. NULL: not sent.
view dashboard.health_hourly.respiratory_rate_min numeric: Lowest respiratory rate, breaths per minute. NULL: not measured in the hour.
view dashboard.health_hourly.respiratory_rate_max numeric: Highest respiratory rate, breaths per minute. NULL: not measured in the hour.
view dashboard.health_hourly.respiratory_rate_sum numeric: Sum of all readings of respiratory rate, breaths per minute. NULL: not measured in the hour.
view dashboard.health_hourly.respiratory_rate_count bigint: Readings of respiratory rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.respiratory_rate_avg numeric: Mean respiratory rate over all readings, breaths per minute: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_variability_min numeric: Lowest heart rate variability (RMSSD), milliseconds. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_variability_max numeric: Highest heart rate variability (RMSSD), milliseconds. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_variability_sum numeric: Sum of all readings of heart rate variability (RMSSD), milliseconds. NULL: not measured in the hour.
view dashboard.health_hourly.heart_rate_variability_count bigint: Readings of heart rate variability (RMSSD). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.heart_rate_variability_avg numeric: Mean heart rate variability (RMSSD) over all readings, milliseconds: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.blood_glucose_min numeric: Lowest blood glucose, mmol/L. NULL: not measured in the hour.
view dashboard.health_hourly.blood_glucose_max numeric: Highest blood glucose, mmol/L. NULL: not measured in the hour.
view dashboard.health_hourly.blood_glucose_sum numeric: Sum of all readings of blood glucose, mmol/L. NULL: not measured in the hour.
view dashboard.health_hourly.blood_glucose_count bigint: Readings of blood glucose. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.blood_glucose_avg numeric: Mean blood glucose over all readings, mmol/L: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.skin_temperature_min numeric: Lowest skin temperature, degrees Celsius. NULL: not measured in the hour.
view dashboard.health_hourly.skin_temperature_max numeric: Highest skin temperature, degrees Celsius. NULL: not measured in the hour.
view dashboard.health_hourly.skin_temperature_sum numeric: Sum of all readings of skin temperature, degrees Celsius. NULL: not measured in the hour.
view dashboard.health_hourly.skin_temperature_count bigint: Readings of skin temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_hourly.skin_temperature_avg numeric: Mean skin temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the hour.
view dashboard.health_hourly.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.health_monthly.device_sn text: Serial number of the device.
view dashboard.health_monthly.bucket timestamp with time zone: Start of the month.
view dashboard.health_monthly.samples bigint: Rows of health_data in the month.
view dashboard.health_monthly.first_ts timestamp with time zone: Event time of the first of them.
view dashboard.health_monthly.last_ts timestamp with time zone: Event time of the last of them.
view dashboard.health_monthly.heart_rate_min smallint: Lowest heart rate, beats per minute. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_max smallint: Highest heart rate, beats per minute. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_sum bigint: Sum of all readings of heart rate, beats per minute. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_count bigint: Readings of heart rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.heart_rate_avg numeric: Mean heart rate over all readings, beats per minute: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.blood_oxygen_min smallint: Lowest SpO2, percent. NULL: not measured in the month.
view dashboard.health_monthly.blood_oxygen_max smallint: Highest SpO2, percent. NULL: not measured in the month.
view dashboard.health_monthly.blood_oxygen_sum bigint: Sum of all readings of SpO2, percent. NULL: not measured in the month.
view dashboard.health_monthly.blood_oxygen_count bigint: Readings of SpO2. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.blood_oxygen_avg numeric: Mean SpO2 over all readings, percent: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.temperature_min numeric: Lowest body temperature, degrees Celsius. NULL: not measured in the month.
view dashboard.health_monthly.temperature_max numeric: Highest body temperature, degrees Celsius. NULL: not measured in the month.
view dashboard.health_monthly.temperature_sum numeric: Sum of all readings of body temperature, degrees Celsius. NULL: not measured in the month.
view dashboard.health_monthly.temperature_count bigint: Readings of body temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.temperature_avg numeric: Mean body temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.pressure_high_min smallint: Lowest systolic pressure (derived by the watch), mmHg. NULL: not measured in the month.
view dashboard.health_monthly.pressure_high_max smallint: Highest systolic pressure (derived by the watch), mmHg. NULL: not measured in the month.
view dashboard.health_monthly.pressure_high_sum bigint: Sum of all readings of systolic pressure (derived by the watch), mmHg. NULL: not measured in the month.
view dashboard.health_monthly.pressure_high_count bigint: Readings of systolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.pressure_high_avg numeric: Mean systolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.pressure_low_min smallint: Lowest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the month.
view dashboard.health_monthly.pressure_low_max smallint: Highest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the month.
view dashboard.health_monthly.pressure_low_sum bigint: Sum of all readings of diastolic pressure (derived by the watch), mmHg. NULL: not measured in the month.
view dashboard.health_monthly.pressure_low_count bigint: Readings of diastolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.pressure_low_avg numeric: Mean diastolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.stress_min smallint: Lowest stress, score 1 to 100. NULL: not measured in the month.
view dashboard.health_monthly.stress_max smallint: Highest stress, score 1 to 100. NULL: not measured in the month.
view dashboard.health_monthly.stress_sum bigint: Sum of all readings of stress, score 1 to 100. NULL: not measured in the month.
view dashboard.health_monthly.stress_count bigint: Readings of stress. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.stress_avg numeric: Mean stress over all readings, score 1 to 100: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.step_max integer: Steps of the best day of the month, count. NULL: not sent.
view dashboard.health_monthly.step_sum bigint: Steps of the month: sum of the days, count. NULL: not sent.
view dashboard.health_monthly.distance_max numeric: Distance of the best day of the month, metres. NULL: not sent.
view dashboard.health_monthly.distance_sum numeric: Distance of the month: sum of the days, metres. NULL: not sent.
view dashboard.health_monthly.calorie_max numeric: Energy of the best day of the month, small calories. NULL: not sent.
view dashboard.health_monthly.calorie_sum numeric: Energy of the month: sum of the days, small calories. NULL: not sent.
view dashboard.health_monthly.respiratory_rate_min numeric: Lowest respiratory rate, breaths per minute. NULL: not measured in the month.
view dashboard.health_monthly.respiratory_rate_max numeric: Highest respiratory rate, breaths per minute. NULL: not measured in the month.
view dashboard.health_monthly.respiratory_rate_sum numeric: Sum of all readings of respiratory rate, breaths per minute. NULL: not measured in the month.
view dashboard.health_monthly.respiratory_rate_count bigint: Readings of respiratory rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.respiratory_rate_avg numeric: Mean respiratory rate over all readings, breaths per minute: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_variability_min numeric: Lowest heart rate variability (RMSSD), milliseconds. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_variability_max numeric: Highest heart rate variability (RMSSD), milliseconds. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_variability_sum numeric: Sum of all readings of heart rate variability (RMSSD), milliseconds. NULL: not measured in the month.
view dashboard.health_monthly.heart_rate_variability_count bigint: Readings of heart rate variability (RMSSD). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.heart_rate_variability_avg numeric: Mean heart rate variability (RMSSD) over all readings, milliseconds: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.blood_glucose_min numeric: Lowest blood glucose, mmol/L. NULL: not measured in the month.
view dashboard.health_monthly.blood_glucose_max numeric: Highest blood glucose, mmol/L. NULL: not measured in the month.
view dashboard.health_monthly.blood_glucose_sum numeric: Sum of all readings of blood glucose, mmol/L. NULL: not measured in the month.
view dashboard.health_monthly.blood_glucose_count bigint: Readings of blood glucose. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.blood_glucose_avg numeric: Mean blood glucose over all readings, mmol/L: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.skin_temperature_min numeric: Lowest skin temperature, degrees Celsius. NULL: not measured in the month.
view dashboard.health_monthly.skin_temperature_max numeric: Highest skin temperature, degrees Celsius. NULL: not measured in the month.
view dashboard.health_monthly.skin_temperature_sum numeric: Sum of all readings of skin temperature, degrees Celsius. NULL: not measured in the month.
view dashboard.health_monthly.skin_temperature_count bigint: Readings of skin temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_monthly.skin_temperature_avg numeric: Mean skin temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the month.
view dashboard.health_monthly.day date: The date of the bucket, the first one of weeks and months, in the zone of the rollup (Asia/Shanghai).
view dashboard.health_monthly.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.health_weekly.device_sn text: Serial number of the device.
view dashboard.health_weekly.bucket timestamp with time zone: Start of the ISO week.
view dashboard.health_weekly.samples bigint: Rows of health_data in the ISO week.
view dashboard.health_weekly.first_ts timestamp with time zone: Event time of the first of them.
view dashboard.health_weekly.last_ts timestamp with time zone: Event time of the last of them.
view dashboard.health_weekly.heart_rate_min smallint: Lowest heart rate, beats per minute. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_max smallint: Highest heart rate, beats per minute. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_sum bigint: Sum of all readings of heart rate, beats per minute. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_count bigint: Readings of heart rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.heart_rate_avg numeric: Mean heart rate over all readings, beats per minute: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_oxygen_min smallint: Lowest SpO2, percent. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_oxygen_max smallint: Highest SpO2, percent. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_oxygen_sum bigint: Sum of all readings of SpO2, percent. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_oxygen_count bigint: Readings of SpO2. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.blood_oxygen_avg numeric: Mean SpO2 over all readings, percent: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.temperature_min numeric: Lowest body temperature, degrees Celsius. NULL: not measured in the ISO week.
view dashboard.health_weekly.temperature_max numeric: Highest body temperature, degrees Celsius. NULL: not measured in the ISO week.
view dashboard.health_weekly.temperature_sum numeric: Sum of all readings of body temperature, degrees Celsius. NULL: not measured in the ISO week.
view dashboard.health_weekly.temperature_count bigint: Readings of body temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.temperature_avg numeric: Mean body temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_high_min smallint: Lowest systolic pressure (derived by the watch), mmHg. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_high_max smallint: Highest systolic pressure (derived by the watch), mmHg. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_high_sum bigint: Sum of all readings of systolic pressure (derived by the watch), mmHg. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_high_count bigint: Readings of systolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.pressure_high_avg numeric: Mean systolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_low_min smallint: Lowest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_low_max smallint: Highest diastolic pressure (derived by the watch), mmHg. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_low_sum bigint: Sum of all readings of diastolic pressure (derived by the watch), mmHg. NULL: not measured in the ISO week.
view dashboard.health_weekly.pressure_low_count bigint: Readings of diastolic pressure (derived by the watch). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.pressure_low_avg numeric: Mean diastolic pressure (derived by the watch) over all readings, mmHg: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.stress_min smallint: Lowest stress, score 1 to 100. NULL: not measured in the ISO week.
view dashboard.health_weekly.stress_max smallint: Highest stress, score 1 to 100. NULL: not measured in the ISO week.
view dashboard.health_weekly.stress_sum bigint: Sum of all readings of stress, score 1 to 100. NULL: not measured in the ISO week.
view dashboard.health_weekly.stress_count bigint: Readings of stress. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.stress_avg numeric: Mean stress over all readings, score 1 to 100: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.step_max integer: Steps of the best day of the ISO week, count. NULL: not sent.
view dashboard.health_weekly.step_sum bigint: Steps of the ISO week: sum of the days, count. NULL: not sent.
view dashboard.health_weekly.distance_max numeric: Distance of the best day of the ISO week, metres. NULL: not sent.
view dashboard.health_weekly.distance_sum numeric: Distance of the ISO week: sum of the days, metres. NULL: not sent.
view dashboard.health_weekly.calorie_max numeric: Energy of the best day of the ISO week, small calories. NULL: not sent.
view dashboard.health_weekly.calorie_sum numeric: Energy of the ISO week: sum of the days, small calories. NULL: not sent.
view dashboard.health_weekly.respiratory_rate_min numeric: Lowest respiratory rate, breaths per minute. NULL: not measured in the ISO week.
view dashboard.health_weekly.respiratory_rate_max numeric: Highest respiratory rate, breaths per minute. NULL: not measured in the ISO week.
view dashboard.health_weekly.respiratory_rate_sum numeric: Sum of all readings of respiratory rate, breaths per minute. NULL: not measured in the ISO week.
view dashboard.health_weekly.respiratory_rate_count bigint: Readings of respiratory rate. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.respiratory_rate_avg numeric: Mean respiratory rate over all readings, breaths per minute: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_variability_min numeric: Lowest heart rate variability (RMSSD), milliseconds. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_variability_max numeric: Highest heart rate variability (RMSSD), milliseconds. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_variability_sum numeric: Sum of all readings of heart rate variability (RMSSD), milliseconds. NULL: not measured in the ISO week.
view dashboard.health_weekly.heart_rate_variability_count bigint: Readings of heart rate variability (RMSSD). NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.heart_rate_variability_avg numeric: Mean heart rate variability (RMSSD) over all readings, milliseconds: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_glucose_min numeric: Lowest blood glucose, mmol/L. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_glucose_max numeric: Highest blood glucose, mmol/L. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_glucose_sum numeric: Sum of all readings of blood glucose, mmol/L. NULL: not measured in the ISO week.
view dashboard.health_weekly.blood_glucose_count bigint: Readings of blood glucose. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.blood_glucose_avg numeric: Mean blood glucose over all readings, mmol/L: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.skin_temperature_min numeric: Lowest skin temperature, degrees Celsius. NULL: not measured in the ISO week.
view dashboard.health_weekly.skin_temperature_max numeric: Highest skin temperature, degrees Celsius. NULL: not measured in the ISO week.
view dashboard.health_weekly.skin_temperature_sum numeric: Sum of all readings of skin temperature, degrees Celsius. NULL: not measured in the ISO week.
view dashboard.health_weekly.skin_temperature_count bigint: Readings of skin temperature. NULL: the bucket was computed before this vital sign was added.
view dashboard.health_weekly.skin_temperature_avg numeric: Mean skin temperature over all readings, degrees Celsius: sum / count, not rounded. NULL: not measured in the ISO week.
view dashboard.health_weekly.day date: The date of the bucket, the first one of weeks and months, in the zone of the rollup (Asia/Shanghai).
view dashboard.health_weekly.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.latest.device_sn text: Serial number of the device.
view dashboard.latest.ts timestamp with time zone: When the sample was taken.
view dashboard.latest.heart_rate smallint: Heart rate, beats per minute. NULL: not measured.
view dashboard.latest.blood_oxygen smallint: SpO2, percent. NULL: not measured.
view dashboard.latest.temperature numeric: Body temperature, degrees Celsius. NULL: not measured.
view dashboard.latest.pressure_high smallint: Systolic pressure (derived by the watch), mmHg. NULL: not measured.
view dashboard.latest.pressure_low smallint: Diastolic pressure (derived by the watch), mmHg. NULL: not measured.
view dashboard.latest.stress smallint: Stress, score 1 to 100. NULL: not measured.
view dashboard.latest.step integer: Steps of the local day so far, count. NULL: not sent.
view dashboard.latest.distance numeric: Distance of the local day so far, metres. NULL: not sent.
view dashboard.latest.calorie numeric: Energy of the local day so far, small calories. NULL: not sent.
view dashboard.latest.latitude double precision: Latitude, degrees north, WGS 84. NULL: no position.
view dashboard.latest.longitude double precision: Longitude, degrees east, WGS 84. NULL: no position.
view dashboard.latest.user_id bigint: Wearer at that time. NULL: nobody.
view dashboard.latest.user_name text: Name of the wearer. NULL: nobody, or not known.
view dashboard.latest.org_id bigint: Organisation unit of the wearer. NULL: none.
view dashboard.latest.org_name text: Its name. NULL: none, or not known.
view dashboard.latest.customer_id bigint: Tenant. NULL: none.
view dashboard.latest.respiratory_rate numeric: Respiratory rate, breaths per minute. NULL: not measured.
view dashboard.latest.heart_rate_variability numeric: Heart rate variability (RMSSD), milliseconds. NULL: not measured.
view dashboard.latest.blood_glucose numeric: Blood glucose, mmol/L. NULL: not measured.
view dashboard.latest.skin_temperature numeric: Skin temperature, degrees Celsius. NULL: not measured.
view dashboard.latest.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.org_unit.org_id bigint: Number of the unit.
view dashboard.org_unit.name text: Name. NULL: not known.
view dashboard.org_unit.ancestors bigint[]: Units above it, from the root down; zeros mean nothing.
view dashboard.org_unit.customer_id bigint: Tenant.
view dashboard.org_unit.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.person.user_id bigint: Number of the person.
view dashboard.person.name text: Name. NULL: not known.
view dashboard.person.room text: Where the person is found. NULL: not known.
view dashboard.person.org_id bigint: Organisation unit. NULL: none.
view dashboard.person.org_name text: Its name. NULL: none, or not known.
view dashboard.person.customer_id bigint: Tenant. NULL: none.
view dashboard.person.customer_name text: Its name. NULL: none, or not known.
view dashboard.person.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.sample.device_sn text: Serial number of the device.
view dashboard.sample.ts timestamp with time zone: When the sample was taken.
view dashboard.sample.user_id bigint: Wearer at that time. NULL: nobody.
view dashboard.sample.org_id bigint: Organisation unit of the wearer. NULL: none.
view dashboard.sample.customer_id bigint: Tenant. NULL: none.
view dashboard.sample.received_at timestamp with time zone: When the service received it.
view dashboard.sample.upload_method text: Channel it came by, as sent. NULL: not sent.
view dashboard.sample.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.sample.heart_rate smallint: Heart rate, beats per minute. NULL: not measured.
view dashboard.sample.blood_oxygen smallint: SpO2, percent. NULL: not measured.
view dashboard.sample.temperature numeric: Body temperature, degrees Celsius. NULL: not measured.
view dashboard.sample.pressure_high smallint: Systolic pressure (derived by the watch), mmHg. NULL: not measured.
view dashboard.sample.pressure_low smallint: Diastolic pressure (derived by the watch), mmHg. NULL: not measured.
view dashboard.sample.stress smallint: Stress, score 1 to 100. NULL: not measured.
view dashboard.sample.step integer: Steps of the local day so far, count. NULL: not sent.
view dashboard.sample.distance numeric: Distance of the local day so far, metres. NULL: not sent.
view dashboard.sample.calorie numeric: Energy of the local day so far, small calories. NULL: not sent.
view dashboard.sample.latitude double precision: Latitude, degrees north, WGS 84. NULL: no position.
view dashboard.sample.longitude double precision: Longitude, degrees east, WGS 84. NULL: no position.
view dashboard.sample.altitude double precision: Altitude, metres. NULL: no position.
view dashboard.sample.respiratory_rate numeric: Respiratory rate, breaths per minute. NULL: not measured.
view dashboard.sample.heart_rate_variability numeric: Heart rate variability (RMSSD), milliseconds. NULL: not measured.
view dashboard.sample.blood_glucose numeric: Blood glucose, mmol/L. NULL: not measured.
view dashboard.sample.skin_temperature numeric: Skin temperature, degrees Celsius. NULL: not measured.
view dashboard.sleep_night.device_sn text: Serial number of the device.
view dashboard.sleep_night.night date: Local day on which the sleep ended.
view dashboard.sleep_night.start_ts timestamp with time zone: When the first sleep of the day began.
view dashboard.sleep_night.end_ts timestamp with time zone: When the last one ended.
view dashboard.sleep_night.sleeps integer: Sleeps that ended on the day: a night, perhaps naps.
view dashboard.sleep_night.light_hours numeric: Hours of light sleep.
view dashboard.sleep_night.deep_hours numeric: Hours of deep sleep.
view dashboard.sleep_night.unknown_hours numeric: Hours of sleep of neither light nor deep type.
view dashboard.sleep_night.total_hours numeric: Hours of sleep: light + deep + unknown.
view dashboard.sleep_night.user_id bigint: Wearer. NULL: not known.
view dashboard.sleep_night.org_id bigint: Organisation unit. NULL: not known.
view dashboard.sleep_night.customer_id bigint: Tenant. NULL: not known.
view dashboard.sleep_night.cell text: The cell it is in: the database, where several share the tenants.
view dashboard.workout.device_sn text: Serial number of the device.
view dashboard.workout.start_ts timestamp with time zone: Start.
view dashboard.workout.end_ts timestamp with time zone: End.
view dashboard.workout.workout_type integer: Type as sent. NULL: not sent.
view dashboard.workout.type_name text: Name of the type, in English. NULL: not known.
view dashboard.workout.calorie numeric: Energy as sent, in the unit of the device. NULL: not sent.
view dashboard.workout.distance numeric: Distance, metres. NULL: not sent.
view dashboard.workout.user_id bigint: Wearer at the start. NULL: nobody.
view dashboard.workout.org_id bigint: Organisation unit of the wearer. NULL: none.
view dashboard.workout.customer_id bigint: Tenant. NULL: none.
view dashboard.workout.cell text: The cell it is in: the database, where several share the tenants.
table dashboard_tenant: Which tenants a role sees in schema dashboard, and all roles that are members of it. A role that is bound nowhere sees nothing.
    role_name regrole not null: The role, as its name or as a quoted identifier.
    customer_id bigint: Tenant it sees. Several rows: all of them. NULL: all_tenants is set.
    all_tenants boolean not null default false: It sees every tenant, and devices that belong to none. No other row is needed then.
    bound_name name: Name of the role when it was bound; written by a trigger. NULL: never, the trigger sees to it.
    bound_server bigint: System identifier of the server on which it was bound; written by a trigger. NULL: never, as above.
    constraint dashboard_tenant_all_tenants_check CHECK ((all_tenants = (customer_id IS NULL)))
    constraint dashboard_tenant_customer_id_check CHECK ((customer_id > 0))
    CREATE UNIQUE INDEX dashboard_tenant_key ON vitals.dashboard_tenant USING btree (role_name, COALESCE(customer_id, (0)::bigint))
    CREATE TRIGGER dashboard_tenant_bound BEFORE INSERT OR UPDATE ON vitals.dashboard_tenant FOR EACH ROW EXECUTE FUNCTION dashboard_tenant_bound()
table device: One row per device that ever sent data, bound to a user or not. A device that was never bound is deleted when it has sent nothing for policy.keep_for.
    device_sn text not null: Serial number, as the device sends it.
    first_seen_at timestamp with time zone not null default now(): When the service first reacted to data of the device.
    info_ts timestamp with time zone: Event time of the newest message of device_info; if that is more than five minutes after its receipt, the time of receipt. NULL: the device never sent one.
    customer_id bigint: Tenant as of the newest message: as the device named it, else by its binding at that time. It does not change who owns the device. NULL: neither.
    org_id bigint: Organisation unit as of the newest message: as named, else by its binding. NULL: neither.
    user_id bigint: Wearer as of the newest message: as named, else by its binding. NULL: neither.
    system_version text: Firmware, as sent. This column and each of those below hold the newest value by event time. NULL: never sent.
    model text: Model: the leading AAA-AAnn of the firmware. NULL: none was sent, or it has another form.
    wifi_address text: MAC address of the WLAN, upper case with colons; as sent if it is not a MAC address. NULL: never sent.
    bluetooth_address text: MAC address of Bluetooth, in the same form. NULL: never sent.
    ip_address text: First IPv4 address in the message; the text as sent if there is none. NULL: never sent.
    network_mode text: How the device reaches the network: a number or word of the device. NULL: never sent.
    device_name text: Name its wearer sees. NULL: never sent.
    imei text: IMEI of its modem. NULL: never sent.
    battery_level smallint: Battery, percent. NULL: never sent.
    voltage integer: Battery, millivolts. NULL: never sent.
    charging_status text: CHARGING, NOT_CHARGING, or UNKNOWN if the device sent another word. NULL: never sent.
    wear_state text: 0 not worn, 1 worn; else the word of the device. NULL: never sent.
    status text: State that the device reports, as sent. NULL: never sent.
    heard_at timestamp with time zone not null default now(): When the service last processed data of the device; updated at most once a day.
    clock_offset_seconds integer: How far the clock of the device is behind, seconds; negative: it is ahead. NULL: not known to be more than a minute off.
    clock_measured_at timestamp with time zone: When the offset was last measured; while the clock is off, at most every ten minutes. NULL: the clock never seemed off.
    constraint device_charging_status_check CHECK ((charging_status = ANY (ARRAY['CHARGING'::text, 'NOT_CHARGING'::text, 'UNKNOWN'::text])))
    constraint device_pkey PRIMARY KEY (device_sn)
    CREATE INDEX device_clock_offset_idx ON public.device USING btree (clock_offset_seconds) WHERE (clock_offset_seconds IS NOT NULL)
table device_binding: Who wore a device when. A sample belongs to the binding in force at its time; before the first binding of a device, to the first.
    device_sn text not null: Serial number of the device, as it sends it. It may be bound before it ever sends data.
    user_id bigint not null: Who wears it.
    valid_from timestamp with time zone not null default now(): Since when. A later binding of the device ends this one, even before valid_until.
    valid_until timestamp with time zone: Until when, exclusive. NULL: open, it has not ended.
    constraint device_binding_device_sn_check CHECK (((octet_length(device_sn) >= 1) AND (octet_length(device_sn) <= 64)))
    constraint device_binding_pkey PRIMARY KEY (device_sn, valid_from)
    constraint device_binding_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user(user_id) DEFERRABLE
    constraint device_binding_valid_check CHECK ((valid_from < valid_until))
    CREATE UNIQUE INDEX device_binding_open_key ON public.device_binding USING btree (device_sn) WHERE (valid_until IS NULL)
    CREATE INDEX device_binding_user_id_idx ON public.device_binding USING btree (user_id)
    CREATE TRIGGER device_binding_deleted AFTER DELETE ON public.device_binding REFERENCING OLD TABLE AS before_change FOR EACH STATEMENT EXECUTE FUNCTION device_binding_changed()
    CREATE TRIGGER device_binding_inserted AFTER INSERT ON public.device_binding REFERENCING NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION device_binding_changed()
    CREATE TRIGGER device_binding_lock BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.device_binding FOR EACH STATEMENT EXECUTE FUNCTION directory_lock()
    CREATE TRIGGER device_binding_truncated AFTER TRUNCATE ON public.device_binding FOR EACH STATEMENT EXECUTE FUNCTION device_binding_changed()
    CREATE TRIGGER device_binding_updated AFTER UPDATE ON public.device_binding REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION device_binding_changed()
table device_config: Settings of watches, one row per tenant that has its own; tenant 0 holds the defaults.
    customer_id bigint not null: Tenant. 0: the defaults for all tenants.
    upload_method text: How watches upload: wifi (directly) or bluetooth (through a phone). NULL: as tenant 0.
    is_support_license boolean: Whether watches check a licence. NULL: as tenant 0.
    license_key integer: The licence, a number. NULL: as tenant 0.
    cache_max_count integer: Samples a watch keeps while it cannot upload; the firmware holds 100 at most. NULL: as tenant 0.
    enable_resume boolean: Whether kept samples are uploaded later. NULL: as tenant 0.
    upload_retry_count integer: Times an upload is tried again. NULL: as tenant 0.
    upload_retry_interval_seconds integer: Pause between two tries, seconds. NULL: as tenant 0.
    constraint device_config_cache_max_count_check CHECK ((cache_max_count > 0))
    constraint device_config_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(customer_id)
    constraint device_config_defaults_check CHECK (((customer_id <> 0) OR (num_nulls(upload_method, is_support_license, license_key, cache_max_count, enable_resume, upload_retry_count, upload_retry_interval_seconds) = 0)))
    constraint device_config_pkey PRIMARY KEY (customer_id)
    constraint device_config_upload_method_check CHECK ((upload_method = ANY (ARRAY['wifi'::text, 'bluetooth'::text])))
    constraint device_config_upload_retry_count_check CHECK ((upload_retry_count >= 0))
    constraint device_config_upload_retry_interval_check CHECK ((upload_retry_interval_seconds >= 0))
table device_config_interface: The URLs to which watches send; the names are those the firmware looks for. auth_header is a secret: keep dashboards away from this table.
    customer_id bigint not null: Tenant. 0: the defaults for all tenants.
    name text not null: Name of the interface, in the words of the firmware.
    path text not null: Path below public_base_url of the service, or a complete http(s) URL of another server.
    interval_seconds integer not null: Time between two calls, seconds.
    enabled boolean not null default true: Whether watches call it.
    api_id text not null default ''::text: Number that identifies the caller. Empty: none.
    auth_header text not null default ''::text: What watches send as Authorization. Empty: nothing.
    constraint device_config_interface_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(customer_id)
    constraint device_config_interface_interval_check CHECK ((interval_seconds > 0))
    constraint device_config_interface_path_check CHECK ((path ~ '^(/|https?://)[^;[:space:]]*$'::text))
    constraint device_config_interface_pkey PRIMARY KEY (customer_id, name)
    constraint device_config_interface_text_check CHECK (((api_id !~ '[;[:cntrl:]]'::text) AND (auth_header !~ '[;[:cntrl:]]'::text)))
table device_config_metric: What watches measure, how often, and when they warn by themselves; independent of the alert rules of the service.
    customer_id bigint not null: Tenant. 0: the defaults for all tenants.
    metric text not null: heart_rate, blood_oxygen, temperature, stress, step, distance, calorie, sleep, exercise_daily, exercise_week, scientific_sleep, work_out, location, ecg or wear.
    interval_seconds integer: Time between two measurements, seconds. NULL: not set, watches receive -1.
    collect boolean not null default true: Whether it is measured at all.
    realtime boolean not null default true: Whether it is uploaded with the samples at once.
    warn_high numeric(6,1): The watch warns above it, in the unit of health_data. NULL: never, watches receive -1.
    warn_low numeric(6,1): The watch warns below it, in the unit of health_data. NULL: never, watches receive -1.
    warn_count integer: Readings in a row beyond a bound before it warns. NULL: not set, watches receive -1.
    constraint device_config_metric_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer(customer_id)
    constraint device_config_metric_interval_check CHECK ((interval_seconds > 0))
    constraint device_config_metric_metric_check CHECK ((metric ~ '^[a-z][a-z0-9_]*$'::text))
    constraint device_config_metric_pkey PRIMARY KEY (customer_id, metric)
    constraint device_config_metric_warn_check CHECK (((warn_high < 'NaN'::numeric) AND (warn_low < 'NaN'::numeric)))
    constraint device_config_metric_warn_count_check CHECK ((warn_count >= 0))
table device_event: One row per event of a device. An event that is sent again is the same row; the second message fills the columns that are NULL. Hypertable, one chunk a week.
    device_sn text not null: Serial number of the device, as it sends it.
    event_type text not null: Short type, upper case: what follows the last dot of the action.
    ts timestamp with time zone not null: When it happened (event time); the time of receipt if the event has no usable time.
    received_at timestamp with time zone not null default now(): When the service took the upload in which the event first came.
    batch_id bigint not null default txid_current(): Transaction that first wrote the row (txid_current()); joins outbox and vitals.ingest_batch.
    severity text not null default 'info'::text: Severity of the event type when the event was stored: critical, major, minor or info (see event_type).
    value text: Value sent with the event; event_type says what it means. NULL: none.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    latitude double precision: Latitude, degrees north, WGS 84. NULL: no position (devices send 0/0), or none on Earth.
    longitude double precision: Longitude, degrees east, WGS 84. NULL: no position.
    altitude double precision: Altitude, metres. NULL: none.
    action text: The name as it was sent. NULL: it was the short type.
    sent_ts text: The time as it was sent, if it could not be used and ts is the time of receipt. NULL: ts is as sent, or none was sent.
    constraint device_event_pkey PRIMARY KEY (device_sn, event_type, ts)
    constraint device_event_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'info'::text])))
    CREATE INDEX device_event_batch_id_idx ON public.device_event USING btree (batch_id)
    CREATE TRIGGER device_event_outbox AFTER INSERT ON public.device_event FOR EACH STATEMENT EXECUTE FUNCTION outbox_add()
table device_info: One row per message of a device about itself. Two messages of one instant are one row; the second fills the columns that are NULL. Hypertable, one chunk a week.
    device_sn text not null: Serial number of the device, as it sends it.
    ts timestamp with time zone not null: Event time; the time of receipt if the message has none.
    received_at timestamp with time zone not null default now(): When the service took the message in which the row first came.
    batch_id bigint not null default txid_current(): Transaction that last wrote the row (txid_current()); joins outbox and vitals.ingest_batch.
    customer_id bigint: Tenant, 64 bit: as the device named it, else by its binding at ts. NULL: neither.
    org_id bigint: Organisation unit, 64 bit: as named, else by its binding at ts. NULL: neither.
    user_id bigint: Wearer, 64 bit: as named, else by its binding at ts. NULL: neither.
    system_version text: Firmware, as sent. NULL: not sent.
    model text: Model: the leading AAA-AAnn of the firmware. NULL: no firmware was sent, or it has another form.
    wifi_address text: MAC address of the WLAN, upper case with colons; as sent if it is not a MAC address. NULL: not sent.
    bluetooth_address text: MAC address of Bluetooth, in the same form. NULL: not sent.
    ip_address text: First IPv4 address in the message; the text as sent if there is none. NULL: not sent.
    network_mode text: How the device reaches the network: a number or word of the device. NULL: not sent.
    device_name text: Name its wearer sees. NULL: not sent.
    imei text: IMEI of its modem. NULL: not sent.
    battery_level smallint: Battery, percent. NULL: not sent.
    voltage integer: Battery, millivolts. NULL: not sent.
    charging_status text: CHARGING, NOT_CHARGING, or UNKNOWN if the message has another word. NULL: not sent.
    wear_state text: 0 not worn, 1 worn; else the word of the device. NULL: not sent.
    status text: State that the device reports, as sent. NULL: not sent.
    constraint device_info_charging_status_check CHECK ((charging_status = ANY (ARRAY['CHARGING'::text, 'NOT_CHARGING'::text, 'UNKNOWN'::text])))
    constraint device_info_pkey PRIMARY KEY (device_sn, ts)
    CREATE INDEX device_info_batch_id_idx ON public.device_info USING btree (batch_id)
    CREATE TRIGGER device_info_device_insert AFTER INSERT ON public.device_info REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION update_device_from_info()
    CREATE TRIGGER device_info_device_update AFTER UPDATE ON public.device_info REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION update_device_from_info()
    CREATE TRIGGER device_info_outbox AFTER INSERT ON public.device_info FOR EACH STATEMENT EXECUTE FUNCTION outbox_add()
table device_key_revocation: Devices and tenants whose device keys were revoked: keys issued before never work again, and no new ones are issued until readmitted_at is set. Created by `vitals keys revoke --device` and `--tenant`; every running service applies it at once. Deleting a row would make its keys work again.
    device_key_revocation_id bigint not null: Number of the revocation.
    device_sn text: The device. NULL: the revocation is of a tenant.
    customer_id bigint: The tenant: of all devices that belonged to it when they received their keys, or belong to it now and use an older key. NULL: the revocation is of one device.
    revoked_at timestamp with time zone not null default now(): When.
    revoked_by text not null default SESSION_USER: Who revoked them: the name given, else the role.
    readmitted_at timestamp with time zone: From when on new keys are issued again. NULL: none are.
    constraint device_key_revocation_customer_id_check CHECK ((customer_id > 0))
    constraint device_key_revocation_pkey PRIMARY KEY (device_key_revocation_id)
    constraint device_key_revocation_readmitted_at_check CHECK ((readmitted_at >= revoked_at))
    constraint device_key_revocation_what_check CHECK ((num_nonnulls(device_sn, customer_id) = 1))
    CREATE UNIQUE INDEX device_key_revocation_customer_id_key ON public.device_key_revocation USING btree (customer_id) WHERE (readmitted_at IS NULL)
    CREATE UNIQUE INDEX device_key_revocation_device_sn_key ON public.device_key_revocation USING btree (device_sn) WHERE (readmitted_at IS NULL)
    CREATE TRIGGER device_key_revocation_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.device_key_revocation FOR EACH STATEMENT EXECUTE FUNCTION api_key_changed()
    CREATE TRIGGER device_key_revocation_is_kept BEFORE DELETE ON public.device_key_revocation FOR EACH ROW EXECUTE FUNCTION device_key_revocation_stays()
    CREATE TRIGGER device_key_revocation_stays BEFORE UPDATE ON public.device_key_revocation FOR EACH ROW WHEN (((old.readmitted_at IS NOT NULL) OR (new.device_sn IS DISTINCT FROM old.device_sn) OR (new.customer_id IS DISTINCT FROM old.customer_id))) EXECUTE FUNCTION device_key_revocation_stays()
table device_key_secret: Secrets from which the keys of single devices are derived (HMAC-SHA-256). Any role that can read this table can make the key of any device.
    generation integer not null: Number of the secret; every key contains the number of its secret. New keys use the highest.
    secret bytea not null: The secret: 256 bits of entropy, generated by the database.
    created_at timestamp with time zone not null default now(): When it was made.
    ends_at timestamp with time zone: From then on keys of this secret are refused. NULL: they are accepted.
    constraint device_key_secret_generation_check CHECK ((generation > 0))
    constraint device_key_secret_pkey PRIMARY KEY (generation)
    constraint device_key_secret_secret_check CHECK ((octet_length(secret) = 32))
    CREATE TRIGGER device_key_secret_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON vitals.device_key_secret FOR EACH STATEMENT EXECUTE FUNCTION api_key_changed()
view device_period.device_sn text: Serial number of the device.
view device_period.user_id bigint: Wearer. NULL: not known.
view device_period.org_id bigint: Organisation unit the wearer sits in today. NULL: not known.
view device_period.customer_id bigint: Tenant of the unit. 0: not known.
view device_period.period tstzrange: From when to when, exclusive.
table directory: One row: the version of the directory. What was looked up at an older version may be out of date.
    only_row boolean not null default true: Always true: there is one directory.
    directory_id uuid not null default gen_random_uuid(): Random id of the directory, so that entries that the service of another database left in the same Redis are not used.
    version bigint not null default 1: Incremented in every transaction that changes who owns a device.
    constraint directory_only_row_check CHECK (only_row)
    constraint directory_pkey PRIMARY KEY (only_row)
table erased_span: What was erased: a device, a user, and which devices the user wore when. Uploads that were received before the erasure and are drained from the buffer after it are not stored. Written when an erasure begins; deleted by `vitals erase`, also by `vitals erase finish`, when nothing of that time is left in the buffer.
    erasure_id bigint not null: Number of the erasure.
    device_sn text: Serial number of a device that was erased or that the user wore. NULL: of any device, what names the user.
    user_id bigint: The user who was erased. NULL: the device was.
    from_ts timestamp with time zone not null default '-infinity'::timestamp with time zone: Start of the time in which the user wore the device; -infinity if there is none.
    to_ts timestamp with time zone not null default 'infinity'::timestamp with time zone: End of that time (exclusive); infinity if there is none.
    erased_at timestamp with time zone not null default clock_timestamp(): What was received until then is erased: when the erasure began, and when it is complete, when it was completed.
    constraint erased_span_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES erasure(erasure_id) ON DELETE CASCADE
    constraint erased_span_key UNIQUE NULLS NOT DISTINCT (erasure_id, device_sn, user_id, from_ts)
    constraint erased_span_subject_check CHECK ((num_nonnulls(device_sn, user_id) > 0))
table erasure: Receipts: who had a device or a user erased, and how many rows were deleted. Kept for ever; no row names a person.
    erasure_id bigint not null: Its number.
    kind text not null: device or user.
    subject text: Serial or user id while the erasure is in progress, so that it can continue. NULL: it is complete.
    asked_by text not null: Who requested it: the name given, else the role.
    asked_at timestamp with time zone not null default now(): When it was requested.
    erased_at timestamp with time zone: When the last row was deleted. NULL: it was interrupted; the same command continues it.
    forgotten_at timestamp with time zone: When Redis was cleared too. NULL: `vitals erase finish` does it.
    counts jsonb not null default '{}'::jsonb: Deleted rows by table.
    pending text[]: Serials whose keys are still to be deleted from Redis. NULL: none.
    receipt_number uuid not null default gen_random_uuid(): Random number of the receipt, given to the person who requested it; it says nothing about what was erased.
    constraint erasure_kind_check CHECK ((kind = ANY (ARRAY['device'::text, 'user'::text])))
    constraint erasure_order_check CHECK (((asked_at <= erased_at) AND (erased_at <= forgotten_at)))
    constraint erasure_pending_check CHECK (((forgotten_at IS NULL) OR (pending IS NULL)))
    constraint erasure_pkey PRIMARY KEY (erasure_id)
    constraint erasure_receipt_number_key UNIQUE (receipt_number)
    constraint erasure_subject_check CHECK (((subject IS NULL) OR (erased_at IS NULL)))
    CREATE UNIQUE INDEX erasure_open_key ON public.erasure USING btree (kind, subject) WHERE (erased_at IS NULL)
table event_type: Severity of each type of event. A change applies to later events; a type without a row is info.
    event_type text not null: Short type, upper case, as in device_event.
    severity text not null: critical, major, minor or info.
    value text not null: What device_event.value means, for people.
    constraint event_type_name_check CHECK (((event_type = upper(event_type)) AND (event_type <> ''::text)))
    constraint event_type_pkey PRIMARY KEY (event_type)
    constraint event_type_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'info'::text])))
table exercise_day: Exercise, one row per device and local day: from the document of the day and from the day's element of the week.
    device_sn text not null: Serial number of the device.
    day date not null: Local day of the device (device_time_zone), at whose midnight its running totals restart.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    strength_minutes numeric default GREATEST(daily_strength_minutes, weekly_strength_minutes): Minutes at medium or high intensity: the larger of both documents. NULL: not sent.
    active_hours numeric default GREATEST(daily_active_hours, weekly_active_hours): Hours with activity: the larger of both documents. NULL: not sent.
    steps integer default GREATEST(daily_steps, weekly_steps): Steps: the larger of both documents. NULL: not sent.
    daily_ts timestamp with time zone: Event time of the sample whose document of the day is stored here. NULL: none was sent.
    daily_strength_minutes numeric: Minutes at medium or high intensity, by the document of the day. NULL: not sent.
    daily_active_hours numeric: Hours with activity, by the document of the day. NULL: not sent.
    daily_steps integer: Steps, by the document of the day. NULL: not sent (watches of today do not).
    weekly_ts timestamp with time zone: Event time of the sample whose document of the week is stored here. NULL: none was sent, or none with data of this day.
    weekly_strength_minutes numeric: Minutes at medium or high intensity, by the document of the week. NULL: not sent.
    weekly_active_hours numeric: Hours with activity, by the document of the week. NULL: not sent.
    weekly_steps integer: Steps, by the document of the week. NULL: not sent.
    received_at timestamp with time zone not null: When the service took the upload that last changed the row.
    batch_id bigint not null default txid_current(): Transaction that last wrote the row (txid_current()).
    constraint exercise_day_pkey PRIMARY KEY (device_sn, day)
    CREATE INDEX exercise_day_day_idx ON public.exercise_day USING btree (day)
view exercise_week.device_sn text: Serial number of the device.
view exercise_week.week date: Monday of the week.
view exercise_week.days integer: Days of the week with data.
view exercise_week.strength_minutes numeric: Minutes at medium or high intensity. NULL: not sent.
view exercise_week.active_hours numeric: Hours with activity. NULL: not sent.
view exercise_week.steps bigint: Steps. NULL: not sent.
view exercise_week.customer_id bigint: Tenant by the last day that names one. NULL: none does.
view exercise_week.org_id bigint: Organisation unit by the last day that names one. NULL: none does.
view exercise_week.user_id bigint: Wearer by the last day that names one. NULL: none does.
rollup health_15m.device_sn text
rollup health_15m.bucket timestamp with time zone
rollup health_15m.samples bigint
rollup health_15m.first_ts timestamp with time zone
rollup health_15m.last_ts timestamp with time zone
rollup health_15m.heart_rate_min smallint
rollup health_15m.heart_rate_max smallint
rollup health_15m.heart_rate_sum bigint
rollup health_15m.heart_rate_count bigint
rollup health_15m.heart_rate_avg numeric
rollup health_15m.blood_oxygen_min smallint
rollup health_15m.blood_oxygen_max smallint
rollup health_15m.blood_oxygen_sum bigint
rollup health_15m.blood_oxygen_count bigint
rollup health_15m.blood_oxygen_avg numeric
rollup health_15m.temperature_min numeric
rollup health_15m.temperature_max numeric
rollup health_15m.temperature_sum numeric
rollup health_15m.temperature_count bigint
rollup health_15m.temperature_avg numeric
rollup health_15m.pressure_high_min smallint
rollup health_15m.pressure_high_max smallint
rollup health_15m.pressure_high_sum bigint
rollup health_15m.pressure_high_count bigint
rollup health_15m.pressure_high_avg numeric
rollup health_15m.pressure_low_min smallint
rollup health_15m.pressure_low_max smallint
rollup health_15m.pressure_low_sum bigint
rollup health_15m.pressure_low_count bigint
rollup health_15m.pressure_low_avg numeric
rollup health_15m.stress_min smallint
rollup health_15m.stress_max smallint
rollup health_15m.stress_sum bigint
rollup health_15m.stress_count bigint
rollup health_15m.stress_avg numeric
rollup health_15m.step_max integer
rollup health_15m.distance_max numeric
rollup health_15m.calorie_max numeric
rollup health_15m.respiratory_rate_min numeric
rollup health_15m.respiratory_rate_max numeric
rollup health_15m.respiratory_rate_sum numeric
rollup health_15m.respiratory_rate_count bigint
rollup health_15m.respiratory_rate_avg numeric
rollup health_15m.heart_rate_variability_min numeric
rollup health_15m.heart_rate_variability_max numeric
rollup health_15m.heart_rate_variability_sum numeric
rollup health_15m.heart_rate_variability_count bigint
rollup health_15m.heart_rate_variability_avg numeric
rollup health_15m.blood_glucose_min numeric
rollup health_15m.blood_glucose_max numeric
rollup health_15m.blood_glucose_sum numeric
rollup health_15m.blood_glucose_count bigint
rollup health_15m.blood_glucose_avg numeric
rollup health_15m.skin_temperature_min numeric
rollup health_15m.skin_temperature_max numeric
rollup health_15m.skin_temperature_sum numeric
rollup health_15m.skin_temperature_count bigint
rollup health_15m.skin_temperature_avg numeric
rollup health_daily.device_sn text
rollup health_daily.bucket timestamp with time zone
rollup health_daily.samples bigint
rollup health_daily.first_ts timestamp with time zone
rollup health_daily.last_ts timestamp with time zone
rollup health_daily.heart_rate_min smallint
rollup health_daily.heart_rate_max smallint
rollup health_daily.heart_rate_sum bigint
rollup health_daily.heart_rate_count bigint
rollup health_daily.heart_rate_avg numeric
rollup health_daily.blood_oxygen_min smallint
rollup health_daily.blood_oxygen_max smallint
rollup health_daily.blood_oxygen_sum bigint
rollup health_daily.blood_oxygen_count bigint
rollup health_daily.blood_oxygen_avg numeric
rollup health_daily.temperature_min numeric
rollup health_daily.temperature_max numeric
rollup health_daily.temperature_sum numeric
rollup health_daily.temperature_count bigint
rollup health_daily.temperature_avg numeric
rollup health_daily.pressure_high_min smallint
rollup health_daily.pressure_high_max smallint
rollup health_daily.pressure_high_sum bigint
rollup health_daily.pressure_high_count bigint
rollup health_daily.pressure_high_avg numeric
rollup health_daily.pressure_low_min smallint
rollup health_daily.pressure_low_max smallint
rollup health_daily.pressure_low_sum bigint
rollup health_daily.pressure_low_count bigint
rollup health_daily.pressure_low_avg numeric
rollup health_daily.stress_min smallint
rollup health_daily.stress_max smallint
rollup health_daily.stress_sum bigint
rollup health_daily.stress_count bigint
rollup health_daily.stress_avg numeric
rollup health_daily.step_max integer
rollup health_daily.distance_max numeric
rollup health_daily.calorie_max numeric
rollup health_daily.respiratory_rate_min numeric
rollup health_daily.respiratory_rate_max numeric
rollup health_daily.respiratory_rate_sum numeric
rollup health_daily.respiratory_rate_count bigint
rollup health_daily.respiratory_rate_avg numeric
rollup health_daily.heart_rate_variability_min numeric
rollup health_daily.heart_rate_variability_max numeric
rollup health_daily.heart_rate_variability_sum numeric
rollup health_daily.heart_rate_variability_count bigint
rollup health_daily.heart_rate_variability_avg numeric
rollup health_daily.blood_glucose_min numeric
rollup health_daily.blood_glucose_max numeric
rollup health_daily.blood_glucose_sum numeric
rollup health_daily.blood_glucose_count bigint
rollup health_daily.blood_glucose_avg numeric
rollup health_daily.skin_temperature_min numeric
rollup health_daily.skin_temperature_max numeric
rollup health_daily.skin_temperature_sum numeric
rollup health_daily.skin_temperature_count bigint
rollup health_daily.skin_temperature_avg numeric
table health_data: One row per device and instant: what a wearable measured. Hypertable, one chunk a day. Dashboards read the rollups instead.
    device_sn text not null: Serial number of the device, as it sends it.
    ts timestamp with time zone not null: When the sample was taken (event time). A naive device time is read in the configured device zone.
    received_at timestamp with time zone not null default now(): When the service took the upload in which the row first came.
    batch_id bigint not null default txid_current(): Transaction that last wrote the row (txid_current()); joins outbox and vitals.ingest_batch.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    heart_rate smallint: Heart rate, beats per minute. NULL: not measured (devices send 0).
    blood_oxygen smallint: Peripheral oxygen saturation (SpO2), percent. NULL: not measured.
    temperature numeric: Body temperature, degrees Celsius, as many decimals as sent. NULL: not measured.
    pressure_high smallint: Systolic blood pressure, mmHg; derived by the watch, not measured. NULL: none.
    pressure_low smallint: Diastolic blood pressure, mmHg; derived by the watch, not measured. NULL: none.
    stress smallint: Stress score, 1 to 100. NULL: not measured.
    step integer: Steps of the local day so far; a running total that restarts at local midnight. 0 is real. NULL: not sent.
    distance numeric: Distance of the local day so far, metres; a running total. 0 is real. NULL: not sent.
    calorie numeric: Energy of the local day so far, small calories; a running total. 0 is real. NULL: not sent.
    latitude double precision: Latitude, degrees north, WGS 84. NULL: no position (devices send 0/0).
    longitude double precision: Longitude, degrees east, WGS 84. NULL: no position.
    altitude double precision: Altitude, metres. NULL: none.
    upload_method text: Channel the sample came by: wifi, bluetooth, common_event, esim, or the word of the device. NULL: not sent.
    respiratory_rate numeric: Respiratory rate, breaths per minute, as many decimals as sent. NULL: not measured.
    heart_rate_variability numeric: Heart rate variability as RMSSD, milliseconds, as many decimals as sent. NULL: not measured.
    blood_glucose numeric: Blood glucose, mmol/L, as many decimals as sent. NULL: not measured.
    skin_temperature numeric: Skin temperature, degrees Celsius, as many decimals as sent. NULL: not measured.
    constraint health_data_pkey PRIMARY KEY (device_sn, ts)
    CREATE INDEX health_data_batch_id_idx ON public.health_data USING btree (batch_id)
    CREATE TRIGGER health_data_outbox AFTER INSERT ON public.health_data FOR EACH STATEMENT EXECUTE FUNCTION outbox_add()
    CREATE TRIGGER health_data_rollup_truncate AFTER TRUNCATE ON public.health_data FOR EACH STATEMENT EXECUTE FUNCTION empty_rollups_on_truncate()
table health_document: What of the nested documents of samples did not become rows of sleep_segment, exercise_day or workout: the text exactly as sent, each content once per device and kind.
    device_sn text not null: Serial number of the device.
    ts timestamp with time zone not null: Event time of the first sample that carried it.
    kind text not null: Which document: sleep, exercise_daily, exercise_week, scientific_sleep, workout.
    reason text not null: Why it is here: shape_unknown (scientific sleep, always), unreadable (the document), bad_element (one element of it), too_many_elements.
    detail text: What exactly was wrong, for a person. NULL: nothing was (shape_unknown).
    body text not null: The document, or for bad_element the element, as sent.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    received_at timestamp with time zone not null: When the service took the upload.
    batch_id bigint not null default txid_current(): Transaction that wrote the row (txid_current()).
    constraint health_document_kind_check CHECK ((kind = ANY (ARRAY['sleep'::text, 'exercise_daily'::text, 'exercise_week'::text, 'scientific_sleep'::text, 'workout'::text])))
    constraint health_document_reason_check CHECK ((reason = ANY (ARRAY['shape_unknown'::text, 'unreadable'::text, 'bad_element'::text, 'too_many_elements'::text])))
    CREATE UNIQUE INDEX health_document_content_key ON public.health_document USING btree (device_sn, kind, md5(body))
    CREATE INDEX health_document_old_idx ON public.health_document USING btree (ts)
    CREATE INDEX health_document_ts_idx ON public.health_document USING btree (device_sn, ts)
rollup health_hourly.device_sn text
rollup health_hourly.bucket timestamp with time zone
rollup health_hourly.samples bigint
rollup health_hourly.first_ts timestamp with time zone
rollup health_hourly.last_ts timestamp with time zone
rollup health_hourly.heart_rate_min smallint
rollup health_hourly.heart_rate_max smallint
rollup health_hourly.heart_rate_sum bigint
rollup health_hourly.heart_rate_count bigint
rollup health_hourly.heart_rate_avg numeric
rollup health_hourly.blood_oxygen_min smallint
rollup health_hourly.blood_oxygen_max smallint
rollup health_hourly.blood_oxygen_sum bigint
rollup health_hourly.blood_oxygen_count bigint
rollup health_hourly.blood_oxygen_avg numeric
rollup health_hourly.temperature_min numeric
rollup health_hourly.temperature_max numeric
rollup health_hourly.temperature_sum numeric
rollup health_hourly.temperature_count bigint
rollup health_hourly.temperature_avg numeric
rollup health_hourly.pressure_high_min smallint
rollup health_hourly.pressure_high_max smallint
rollup health_hourly.pressure_high_sum bigint
rollup health_hourly.pressure_high_count bigint
rollup health_hourly.pressure_high_avg numeric
rollup health_hourly.pressure_low_min smallint
rollup health_hourly.pressure_low_max smallint
rollup health_hourly.pressure_low_sum bigint
rollup health_hourly.pressure_low_count bigint
rollup health_hourly.pressure_low_avg numeric
rollup health_hourly.stress_min smallint
rollup health_hourly.stress_max smallint
rollup health_hourly.stress_sum bigint
rollup health_hourly.stress_count bigint
rollup health_hourly.stress_avg numeric
rollup health_hourly.step_max integer
rollup health_hourly.distance_max numeric
rollup health_hourly.calorie_max numeric
rollup health_hourly.respiratory_rate_min numeric
rollup health_hourly.respiratory_rate_max numeric
rollup health_hourly.respiratory_rate_sum numeric
rollup health_hourly.respiratory_rate_count bigint
rollup health_hourly.respiratory_rate_avg numeric
rollup health_hourly.heart_rate_variability_min numeric
rollup health_hourly.heart_rate_variability_max numeric
rollup health_hourly.heart_rate_variability_sum numeric
rollup health_hourly.heart_rate_variability_count bigint
rollup health_hourly.heart_rate_variability_avg numeric
rollup health_hourly.blood_glucose_min numeric
rollup health_hourly.blood_glucose_max numeric
rollup health_hourly.blood_glucose_sum numeric
rollup health_hourly.blood_glucose_count bigint
rollup health_hourly.blood_glucose_avg numeric
rollup health_hourly.skin_temperature_min numeric
rollup health_hourly.skin_temperature_max numeric
rollup health_hourly.skin_temperature_sum numeric
rollup health_hourly.skin_temperature_count bigint
rollup health_hourly.skin_temperature_avg numeric
rollup health_monthly.device_sn text
rollup health_monthly.bucket timestamp with time zone
rollup health_monthly.samples bigint
rollup health_monthly.first_ts timestamp with time zone
rollup health_monthly.last_ts timestamp with time zone
rollup health_monthly.heart_rate_min smallint
rollup health_monthly.heart_rate_max smallint
rollup health_monthly.heart_rate_sum bigint
rollup health_monthly.heart_rate_count bigint
rollup health_monthly.heart_rate_avg numeric
rollup health_monthly.blood_oxygen_min smallint
rollup health_monthly.blood_oxygen_max smallint
rollup health_monthly.blood_oxygen_sum bigint
rollup health_monthly.blood_oxygen_count bigint
rollup health_monthly.blood_oxygen_avg numeric
rollup health_monthly.temperature_min numeric
rollup health_monthly.temperature_max numeric
rollup health_monthly.temperature_sum numeric
rollup health_monthly.temperature_count bigint
rollup health_monthly.temperature_avg numeric
rollup health_monthly.pressure_high_min smallint
rollup health_monthly.pressure_high_max smallint
rollup health_monthly.pressure_high_sum bigint
rollup health_monthly.pressure_high_count bigint
rollup health_monthly.pressure_high_avg numeric
rollup health_monthly.pressure_low_min smallint
rollup health_monthly.pressure_low_max smallint
rollup health_monthly.pressure_low_sum bigint
rollup health_monthly.pressure_low_count bigint
rollup health_monthly.pressure_low_avg numeric
rollup health_monthly.stress_min smallint
rollup health_monthly.stress_max smallint
rollup health_monthly.stress_sum bigint
rollup health_monthly.stress_count bigint
rollup health_monthly.stress_avg numeric
rollup health_monthly.step_max integer
rollup health_monthly.step_sum bigint
rollup health_monthly.distance_max numeric
rollup health_monthly.distance_sum numeric
rollup health_monthly.calorie_max numeric
rollup health_monthly.calorie_sum numeric
rollup health_monthly.respiratory_rate_min numeric
rollup health_monthly.respiratory_rate_max numeric
rollup health_monthly.respiratory_rate_sum numeric
rollup health_monthly.respiratory_rate_count bigint
rollup health_monthly.respiratory_rate_avg numeric
rollup health_monthly.heart_rate_variability_min numeric
rollup health_monthly.heart_rate_variability_max numeric
rollup health_monthly.heart_rate_variability_sum numeric
rollup health_monthly.heart_rate_variability_count bigint
rollup health_monthly.heart_rate_variability_avg numeric
rollup health_monthly.blood_glucose_min numeric
rollup health_monthly.blood_glucose_max numeric
rollup health_monthly.blood_glucose_sum numeric
rollup health_monthly.blood_glucose_count bigint
rollup health_monthly.blood_glucose_avg numeric
rollup health_monthly.skin_temperature_min numeric
rollup health_monthly.skin_temperature_max numeric
rollup health_monthly.skin_temperature_sum numeric
rollup health_monthly.skin_temperature_count bigint
rollup health_monthly.skin_temperature_avg numeric
rollup health_weekly.device_sn text
rollup health_weekly.bucket timestamp with time zone
rollup health_weekly.samples bigint
rollup health_weekly.first_ts timestamp with time zone
rollup health_weekly.last_ts timestamp with time zone
rollup health_weekly.heart_rate_min smallint
rollup health_weekly.heart_rate_max smallint
rollup health_weekly.heart_rate_sum bigint
rollup health_weekly.heart_rate_count bigint
rollup health_weekly.heart_rate_avg numeric
rollup health_weekly.blood_oxygen_min smallint
rollup health_weekly.blood_oxygen_max smallint
rollup health_weekly.blood_oxygen_sum bigint
rollup health_weekly.blood_oxygen_count bigint
rollup health_weekly.blood_oxygen_avg numeric
rollup health_weekly.temperature_min numeric
rollup health_weekly.temperature_max numeric
rollup health_weekly.temperature_sum numeric
rollup health_weekly.temperature_count bigint
rollup health_weekly.temperature_avg numeric
rollup health_weekly.pressure_high_min smallint
rollup health_weekly.pressure_high_max smallint
rollup health_weekly.pressure_high_sum bigint
rollup health_weekly.pressure_high_count bigint
rollup health_weekly.pressure_high_avg numeric
rollup health_weekly.pressure_low_min smallint
rollup health_weekly.pressure_low_max smallint
rollup health_weekly.pressure_low_sum bigint
rollup health_weekly.pressure_low_count bigint
rollup health_weekly.pressure_low_avg numeric
rollup health_weekly.stress_min smallint
rollup health_weekly.stress_max smallint
rollup health_weekly.stress_sum bigint
rollup health_weekly.stress_count bigint
rollup health_weekly.stress_avg numeric
rollup health_weekly.step_max integer
rollup health_weekly.step_sum bigint
rollup health_weekly.distance_max numeric
rollup health_weekly.distance_sum numeric
rollup health_weekly.calorie_max numeric
rollup health_weekly.calorie_sum numeric
rollup health_weekly.respiratory_rate_min numeric
rollup health_weekly.respiratory_rate_max numeric
rollup health_weekly.respiratory_rate_sum numeric
rollup health_weekly.respiratory_rate_count bigint
rollup health_weekly.respiratory_rate_avg numeric
rollup health_weekly.heart_rate_variability_min numeric
rollup health_weekly.heart_rate_variability_max numeric
rollup health_weekly.heart_rate_variability_sum numeric
rollup health_weekly.heart_rate_variability_count bigint
rollup health_weekly.heart_rate_variability_avg numeric
rollup health_weekly.blood_glucose_min numeric
rollup health_weekly.blood_glucose_max numeric
rollup health_weekly.blood_glucose_sum numeric
rollup health_weekly.blood_glucose_count bigint
rollup health_weekly.blood_glucose_avg numeric
rollup health_weekly.skin_temperature_min numeric
rollup health_weekly.skin_temperature_max numeric
rollup health_weekly.skin_temperature_sum numeric
rollup health_weekly.skin_temperature_count bigint
rollup health_weekly.skin_temperature_avg numeric
table ingest_batch: Accounting: one row per transaction of the ingest, written in it. A replay moves records from rejected to stored or duplicate.
    committed_at timestamp with time zone not null default now(): Start of the transaction that was committed.
    batch_id bigint not null default txid_current(): The transaction (txid_current()); equals health_data.batch_id of its rows.
    instance text not null: Which instance of the service wrote it.
    shard smallint not null: Which of its writers. -1: a replay of rejected items (vitals rejected replay). -2: history (vitals backfill).
    received integer not null: Records the batch was made of. 0 for a replay: its records were counted as received when they were rejected.
    stored integer not null: Records that became a new row of the table of their kind.
    duplicate integer not null: Records whose key was already in the table or earlier in the batch.
    rejected integer not null: Records that are in rejected_upload instead. Negative for a replay: so many left rejected_upload.
    kind text not null default 'reading'::text: Kind of record: reading (rows of health_data), event (device_event; also the sample of an event, if it was rejected), device_info.
    constraint ingest_batch_kind_check CHECK ((kind = ANY (ARRAY['reading'::text, 'event'::text, 'device_info'::text])))
    constraint ingest_batch_sum_check CHECK ((received = ((stored + duplicate) + rejected)))
    CREATE INDEX ingest_batch_committed_at_idx ON vitals.ingest_batch USING btree (committed_at DESC)
table instance: Processes that run: instances of the service and long imports. Each writes a heartbeat every few seconds.
    instance_id uuid not null: Random id of the process.
    name text not null: Setting instance of the process.
    program_version text not null: Version of its program, such as 0.2.0.
    oldest_schema integer not null: The oldest schema that its program runs with, as the number of a migration.
    head integer not null: The newest migration that its program has. A later one that contracts the schema waits until the process has ended.
    started_at timestamp with time zone not null default now(): When it started.
    last_seen_at timestamp with time zone not null default now(): Its last heartbeat.
    constraint instance_pkey PRIMARY KEY (instance_id)
table kiosk_link: Links for screens on a wall: each shows one tenant or unit and changes nothing. Made by `vitals kiosk`; the link itself is stored nowhere.
    kiosk_link_id bigint not null: Number of the link.
    name text not null: Which screen it is for. Of the links that are not revoked no two have the same.
    token_hash bytea not null: SHA-256 of the token in the link, which has 256 bits of entropy.
    customer_id bigint not null: The tenant that it shows.
    org_id bigint: The organisation unit that it shows, with its sub-units. NULL: the whole tenant.
    is_private boolean not null default false: It shows initials in place of names, and no positions.
    created_at timestamp with time zone not null default now(): When it was made.
    created_by text not null default SESSION_USER: By whom: the name given, else the role.
    expires_at timestamp with time zone: From then on it no longer works. NULL: it works until it is revoked.
    revoked_at timestamp with time zone: When it was ended. NULL: it was not.
    last_used_at timestamp with time zone: When it was last used, to the minute. NULL: never.
    constraint kiosk_link_customer_id_check CHECK ((customer_id > 0))
    constraint kiosk_link_expires_at_check CHECK ((expires_at > created_at))
    constraint kiosk_link_name_check CHECK (((name ~ '\S'::text) AND (char_length(name) <= 100) AND (name !~ '^[0-9]+$'::text)))
    constraint kiosk_link_org_id_check CHECK ((org_id > 0))
    constraint kiosk_link_pkey PRIMARY KEY (kiosk_link_id)
    constraint kiosk_link_token_hash_check CHECK ((octet_length(token_hash) = 32))
    constraint kiosk_link_token_hash_key UNIQUE (token_hash)
    CREATE UNIQUE INDEX kiosk_link_name_key ON vitals.kiosk_link USING btree (name) WHERE (revoked_at IS NULL)
    CREATE TRIGGER kiosk_link_changed AFTER INSERT OR DELETE OR UPDATE OF token_hash, customer_id, org_id, is_private, name, expires_at, revoked_at ON vitals.kiosk_link FOR EACH STATEMENT EXECUTE FUNCTION account_changed()
    CREATE TRIGGER kiosk_link_stays_revoked BEFORE UPDATE OF revoked_at ON vitals.kiosk_link FOR EACH ROW WHEN (((old.revoked_at IS NOT NULL) AND (new.revoked_at IS DISTINCT FROM old.revoked_at))) EXECUTE FUNCTION kiosk_link_stays_revoked()
table latest_view: One row: the current build of the Redis view. A Redis that holds another build is rebuilt.
    only_row boolean not null default true: Always true: there is one view.
    view_id uuid not null default gen_random_uuid(): Random id of the Redis view, so that values that the service of another database left in the same Redis are not used.
    generation bigint not null default 1: Incremented when a batch was finished while Redis was away.
    constraint latest_view_only_row_check CHECK (only_row)
    constraint latest_view_pkey PRIMARY KEY (only_row)
table notification: One row per alert and address to be notified. Written with the alert; delivered at least once.
    notification_id bigint not null: Number of the notification.
    alert_id bigint not null: The alert.
    kind text not null: fired (it fired, or a person raised the alarm once more); raised (its severity rose); escalated (nobody has acknowledged it: the next step); repeated (nobody has acknowledged it yet); acknowledged (who has it); assigned (to the contact); resolved.
    channel text not null: As in contact_address.
    address text not null: As in contact_address when the alert was raised.
    contact_id bigint not null: Contact of the address; it may have been deleted.
    route_id bigint: Route that led to the address; it may have been deleted. NULL: kind assigned, which follows no route.
    urgent boolean not null default false: The alert is critical: it is neither merged nor delayed by quiet hours, and is sent before others.
    status text not null default 'pending'::text: pending; sent; dead (refused, or all attempts failed: vitals alerts dead-letters); cancelled (acknowledged before it was due, silenced, or the address is no longer used).
    created_at timestamp with time zone not null default clock_timestamp(): When it was written.
    due_at timestamp with time zone not null default clock_timestamp(): It is not sent before.
    unless_taken boolean not null default false: An escalation or a repeat: cancelled when the alert is no longer firing.
    merge_seconds integer: As in the route. NULL: as set for the channel.
    attempts smallint not null default 0: Failed attempts; a rate limit of the provider is not counted.
    message_id uuid: Id of the message it is sent in: the same at every attempt, so that the receiver can deduplicate. NULL: not attempted yet.
    sent_at timestamp with time zone: When the provider accepted it. NULL: not accepted yet.
    error text: Why the last attempt failed, in the words of the provider, or why it was cancelled. NULL: neither.
    traceparent text: W3C traceparent of what raised the alert, for the trace of its delivery. NULL: it is not traced.
    sequence integer not null default 1: Tells apart notifications of one kind of an alert: 1 for the first, 2 for the second. Every address of one occasion has the same.
    constraint notification_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(alert_id) ON DELETE CASCADE
    constraint notification_channel_check CHECK ((channel = ANY (ARRAY['wechat'::text, 'wecom'::text, 'wecom_robot'::text, 'dingtalk_robot'::text, 'feishu_robot'::text, 'sms'::text, 'email'::text, 'webhook'::text])))
    constraint notification_kind_check CHECK ((kind = ANY (ARRAY['fired'::text, 'raised'::text, 'repeated'::text, 'escalated'::text, 'acknowledged'::text, 'assigned'::text, 'resolved'::text])))
    constraint notification_once_key UNIQUE (alert_id, kind, sequence, channel, address)
    constraint notification_pkey PRIMARY KEY (notification_id)
    constraint notification_sent_check CHECK (((status = 'sent'::text) = (sent_at IS NOT NULL)))
    constraint notification_sequence_check CHECK ((sequence > 0))
    constraint notification_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'sent'::text, 'dead'::text, 'cancelled'::text])))
    CREATE INDEX notification_dead_idx ON public.notification USING btree (created_at) WHERE (status = 'dead'::text)
    CREATE INDEX notification_ended_idx ON public.notification USING btree (created_at) WHERE (status <> 'pending'::text)
    CREATE INDEX notification_pending_idx ON public.notification USING btree (channel, address, urgent DESC, due_at) WHERE (status = 'pending'::text)
    CREATE INDEX notification_tried_idx ON public.notification USING btree (channel, address) WHERE ((status = 'pending'::text) AND (message_id IS NOT NULL))
table notification_route: Who is notified of which alerts. Every enabled route that matches an alert notifies its audience; one address is notified once of one occasion, even if several routes lead to it.
    route_id bigint not null: Number of the route.
    customer_id bigint: Tenant whose alerts match. NULL: any.
    org_id bigint: Organisation unit whose alerts match, with its sub-units. NULL: any.
    rule_id bigint: Rule whose alerts match. NULL: any.
    min_severity text not null default 'minor'::text: Alerts of this severity and above match.
    channel text not null: As in contact_address.
    audience text not null: wearer; managers (of the wearer's unit, else of the nearest unit above that has some with this channel); on_duty (by the shifts of the nearest unit upward that has any, when the message is due; nobody: the managers); contact.
    contact_id bigint: The contact. NULL: audience is not contact.
    after_seconds integer not null default 0: Escalation: notified only if the alert is still firing and not acknowledged so long after it fired, seconds. 0: notified at once.
    on_resolved boolean not null default false: Whether the audience is notified of the end of the alert too.
    merge_seconds integer: After a message to an address, further notifications wait so long and are sent as one message, seconds. NULL: as set for the channel.
    quiet_from time without time zone: Local time from which messages of less than critical severity wait until quiet_until. NULL: never.
    quiet_until time without time zone: Local time at which they are sent; before quiet_from: of the next day. NULL with quiet_from.
    time_zone text: Zone of the quiet hours (IANA name). NULL: that of the rollups.
    enabled boolean not null default true: False: not used.
    repeat_seconds integer: While the alert is firing and nobody has acknowledged it, the audience is notified once more each time so many seconds have passed. NULL: not repeated.
    repeat_times integer not null default 100: Repeats at most; a rise in severity or a new SOS starts the count anew. Ignored without repeat_seconds.
    on_acknowledged boolean not null default true: Whether those who were notified are told who has acknowledged the alert.
    constraint notification_route_after_seconds_check CHECK (((after_seconds >= 0) AND (after_seconds <= 604800)))
    constraint notification_route_audience_check CHECK ((audience = ANY (ARRAY['wearer'::text, 'managers'::text, 'contact'::text, 'on_duty'::text])))
    constraint notification_route_channel_check CHECK ((channel = ANY (ARRAY['wechat'::text, 'wecom'::text, 'wecom_robot'::text, 'dingtalk_robot'::text, 'feishu_robot'::text, 'sms'::text, 'email'::text, 'webhook'::text])))
    constraint notification_route_contact_check CHECK (((audience = 'contact'::text) = (contact_id IS NOT NULL)))
    constraint notification_route_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contact(contact_id) ON DELETE CASCADE
    constraint notification_route_merge_seconds_check CHECK (((merge_seconds >= 0) AND (merge_seconds <= 3600)))
    constraint notification_route_min_severity_check CHECK ((min_severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'info'::text])))
    constraint notification_route_pkey PRIMARY KEY (route_id)
    constraint notification_route_quiet_check CHECK ((((quiet_from IS NULL) = (quiet_until IS NULL)) AND (quiet_from <> quiet_until)))
    constraint notification_route_repeat_seconds_check CHECK (((repeat_seconds >= 30) AND (repeat_seconds <= 86400)))
    constraint notification_route_repeat_times_check CHECK (((repeat_times >= 1) AND (repeat_times <= 10000)))
    constraint notification_route_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES alert_rule(rule_id) ON DELETE CASCADE
    CREATE TRIGGER notification_route_check BEFORE INSERT OR UPDATE OF time_zone ON public.notification_route FOR EACH ROW EXECUTE FUNCTION time_zone_check()
table notification_step: What is still to be notified of a firing alert by a route: the next step or repeat. Deleted in the transaction that acknowledges or resolves the alert.
    alert_id bigint not null: The alert.
    route_id bigint not null: The route.
    round integer not null: notification.sequence of its first notification (fired or escalated): each new SOS is a round.
    repeats_before integer not null: Largest notification.sequence of a repeat of the alert before this round.
    times integer not null default 0: How often the route has notified its audience in this round. 0: not yet.
    due_at timestamp with time zone not null: When it notifies next.
    constraint notification_step_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alert(alert_id) ON DELETE CASCADE
    constraint notification_step_pkey PRIMARY KEY (alert_id, route_id)
    constraint notification_step_route_id_fkey FOREIGN KEY (route_id) REFERENCES notification_route(route_id) ON DELETE CASCADE
    CREATE INDEX notification_step_due_at_idx ON vitals.notification_step USING btree (due_at)
table notification_target: One row per address that was ever sent to: which sender holds its lease, and when the next message may be sent. Only senders use it.
    channel text not null: As in notification.
    address text not null: As in notification.
    next_at timestamp with time zone not null default '-infinity'::timestamp with time zone: Nothing is sent before: rate limit of a robot, back-off after a failure, rate limit of the provider.
    sent_at timestamp with time zone: When the last message was sent; merge_seconds count from here. NULL: none was sent.
    lease_token uuid: Sender that holds the lease. NULL: none.
    leased_until timestamp with time zone: When the lease ends and another sender may take over. NULL: not leased.
    constraint notification_target_lease_check CHECK (((lease_token IS NULL) = (leased_until IS NULL)))
    constraint notification_target_pkey PRIMARY KEY (channel, address)
table org_manager: Who is responsible for an organisation unit, and for the units below it that have no manager.
    org_id bigint not null: The unit.
    contact_id bigint not null: The contact.
    constraint org_manager_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contact(contact_id) ON DELETE CASCADE
    constraint org_manager_org_id_fkey FOREIGN KEY (org_id) REFERENCES org_unit(org_id) ON DELETE CASCADE
    constraint org_manager_pkey PRIMARY KEY (org_id, contact_id)
table org_unit: Organisation units. The ancestors need not be here themselves: a unit carries its whole path.
    org_id bigint not null: Organisation unit, 64 bit, given from outside.
    name text: Name, for people. NULL: not known.
    ancestors bigint[] not null default '{}'::bigint[]: Ids from the root down to the parent; leading zeros mean that there are no more. Empty: the unit is a root.
    customer_id bigint not null default COALESCE((array_remove(ancestors, (0)::bigint))[1], org_id): Tenant: the first ancestor that is not 0, or the unit itself when it has none.
    constraint org_unit_ancestors_check CHECK (((array_position(ancestors, NULL::bigint) IS NULL) AND (0 <= ALL (ancestors)) AND (org_id <> ALL (ancestors))))
    constraint org_unit_org_id_check CHECK ((org_id > 0))
    constraint org_unit_pkey PRIMARY KEY (org_id)
    CREATE INDEX org_unit_customer_id_idx ON public.org_unit USING btree (customer_id)
    CREATE TRIGGER org_unit_inserted AFTER INSERT ON public.org_unit REFERENCING NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION org_unit_inserted()
    CREATE TRIGGER org_unit_lock BEFORE UPDATE ON public.org_unit FOR EACH STATEMENT EXECUTE FUNCTION directory_lock()
    CREATE TRIGGER org_unit_updated AFTER UPDATE ON public.org_unit REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION org_unit_changed()
table outbox: Committed transactions on health_data, device_info and device_event that the relay has not processed yet. Deleting a row skips the processing and nothing else.
    batch_id bigint not null default txid_current(): The writing transaction (txid_current()); equals health_data.batch_id of its rows.
    first_ts timestamp with time zone: Oldest event time in the batch. NULL: the writer did not give it (see trigger health_data_outbox).
    last_ts timestamp with time zone: Newest event time in the batch. NULL with first_ts.
    rows integer: Rows the batch offered to health_data. NULL: not known.
    created_at timestamp with time zone not null default clock_timestamp(): When the writer added the row, before its commit.
    lease_token uuid: Relay that processes it. NULL: none yet.
    leased_until timestamp with time zone: When the lease ends and another relay may claim the row. NULL: not claimed yet.
    attempts smallint not null default 0: How often it was claimed; from the third time on it is processed alone.
    device_infos integer: Rows the batch offered to device_info. NULL: not known.
    events integer: Rows the batch offered to device_event. NULL: not known.
    traceparent text: W3C traceparent of the batch, for the trace of its reaction. NULL: it is not traced.
    urgent boolean not null default false: It holds an urgent event, such as SOS_EVENT: it is processed before all other batches.
    sliced boolean not null default false: The devices of the batch are in vitals.outbox_device; their rows are evaluated in slices. False: they are evaluated together.
    partitions bigint: A bit for each partition (vitals.alert_partition) in which the batch has devices, the first one lowest. NULL: not known, so any.
    constraint outbox_lease_check CHECK (((lease_token IS NULL) = (leased_until IS NULL)))
    constraint outbox_pkey PRIMARY KEY (batch_id)
    constraint outbox_range_check CHECK ((((first_ts IS NULL) = (last_ts IS NULL)) AND (first_ts <= last_ts)))
    CREATE INDEX outbox_urgent_idx ON public.outbox USING btree (batch_id) WHERE urgent
table outbox_device: Devices of sliced batches of the outbox. A row is deleted in the transaction that evaluates the alert rules for the rows of the device.
    batch_id bigint not null: The batch, a row of outbox.
    device_sn text not null: Serial of the device.
    first_ts timestamp with time zone not null: Oldest event time of its rows in the batch that are not evaluated yet.
    last_ts timestamp with time zone not null: Newest event time of its rows in the batch.
    rows bigint not null: About how many rows of the device are not evaluated yet.
    constraint outbox_device_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES outbox(batch_id) ON DELETE CASCADE
    constraint outbox_device_pkey PRIMARY KEY (batch_id, device_sn)
    constraint outbox_device_range_check CHECK ((first_ts <= last_ts))
    CREATE INDEX outbox_device_first_ts_idx ON vitals.outbox_device USING btree (batch_id, first_ts, device_sn)
table placement: Which cell the devices of a tenant live in; the same rows in every cell. The narrowest row applies: a single device, a range of serials (of several, the one that begins last), the tenant. Devices without a row live where their uploads arrive.
    customer_id bigint not null: Tenant. 0: the devices that nobody owns.
    first_device_sn text: First serial of a range, in the order of bytes; the same as last_device_sn: a single device. NULL: all devices of the tenant.
    last_device_sn text: Last serial of the range, inclusive. NULL with first_device_sn.
    cell text not null: The cell.
    constraint placement_cell_fkey FOREIGN KEY (cell) REFERENCES cell_url(cell)
    constraint placement_customer_id_check CHECK ((customer_id >= 0))
    constraint placement_key UNIQUE NULLS NOT DISTINCT (customer_id, first_device_sn, last_device_sn)
    constraint placement_range_check CHECK (((num_nulls(first_device_sn, last_device_sn) = ANY (ARRAY[0, 2])) AND (first_device_sn <= last_device_sn)))
    CREATE TRIGGER placement_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON vitals.placement FOR EACH STATEMENT EXECUTE FUNCTION placement_changed()
table policy: Retention, compression and refresh of each relation, set by DBAs. A change takes effect by itself; one that would lose data is refused.
    relation text not null: health_data, a rollup, or another table that grows; a table outside schema public is named with its schema.
    keep_for interval: Age at which rows may be dropped; uploads older than that of health_data are rejected, and no refresh computes older buckets. Of alert and notification only finished rows are deleted. NULL: kept for ever.
    refresh_every interval: How often the rollup is brought up to date. NULL: not a rollup.
    refresh_lag interval: How far the watermark stays behind now. Newer buckets are computed when they are read. NULL: not a rollup.
    compress_after interval: Age at which chunks go to the columnstore, which only the Community edition has. NULL: never.
    keep_bytes bigint: Bytes of text to keep, for rejected_upload only: the oldest are deleted first. NULL: no limit.
    constraint policy_check TRIGGER DEFERRABLE
    constraint policy_compress_after_check CHECK ((compress_after > '00:00:00'::interval))
    constraint policy_keep_bytes_check CHECK (((keep_bytes > 0) AND ((keep_bytes IS NULL) OR (relation = 'rejected_upload'::text))))
    constraint policy_keep_for_check CHECK ((keep_for > '00:00:00'::interval))
    constraint policy_pkey PRIMARY KEY (relation)
    constraint policy_refresh_every_check CHECK ((refresh_every > '00:00:00'::interval))
    constraint policy_refresh_lag_check CHECK ((refresh_lag >= '00:00:00'::interval))
    CREATE CONSTRAINT TRIGGER policy_check AFTER INSERT OR DELETE OR UPDATE ON public.policy DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION policy_check()
    CREATE TRIGGER policy_note_change AFTER UPDATE ON public.policy FOR EACH ROW EXECUTE FUNCTION note_policy_change()
    CREATE TRIGGER policy_refuse_truncate BEFORE TRUNCATE ON public.policy FOR EACH STATEMENT EXECUTE FUNCTION refuse_policy_truncate()
table policy_change: Who changed a policy last, and when. A policy without a row has not been changed since V69.
    relation text not null: As in policy.
    changed_at timestamp with time zone not null default now(): When.
    changed_by text not null default SESSION_USER: Who: the person whom the page or the command names, else the role.
    constraint policy_change_pkey PRIMARY KEY (relation)
table policy_run: What the last apply_policies() did, by relation.
    relation text not null: As in policy.
    applied_at timestamp with time zone not null: When the relation was processed.
    chunks_dropped bigint not null default 0: Chunks it dropped.
    rows_deleted bigint not null default 0: Rows it deleted from a plain table.
    chunks_compressed bigint not null default 0: Chunks it moved to the columnstore.
    held text: Why rows that are old enough were not dropped. NULL: there are none.
    constraint policy_run_pkey PRIMARY KEY (relation)
table reception_period: When the service could receive and store uploads. The time between two periods is an outage of the service; no silence of a device is counted from before the present period.
    began_at timestamp with time zone not null: When an instance could store again. -infinity: the service had not run before.
    last_at timestamp with time zone not null: When an instance last could; written every few seconds while the period lasts.
    constraint reception_period_pkey PRIMARY KEY (began_at)
    constraint reception_period_times_check CHECK ((began_at <= last_at))
table refresh_request: Ranges of the rollups that the next refresh computes again; it deletes the row afterwards.
    refresh_request_id bigint not null: Number of the request.
    from_ts timestamp with time zone not null: Start of the range.
    to_ts timestamp with time zone not null: End of the range, exclusive.
    requested_at timestamp with time zone not null default now(): When it was requested.
    requested_by text not null default SESSION_USER: Role that requested it.
    constraint refresh_request_pkey PRIMARY KEY (refresh_request_id)
    constraint refresh_request_range_check CHECK ((from_ts < to_ts))
table rejected_upload: Items that could not be stored, with the reason and their original text.
    rejected_upload_id bigint not null: Number of the reject.
    received_at timestamp with time zone not null: When the upload was first received.
    batch_id bigint not null default txid_current(): The transaction that last wrote the row (txid_current()).
    source text not null default 'health'::text: Kind of item, given by its route; a replay uses the rules of that route: health, health_batch, device_info, event.
    device_sn text: Serial in the item. NULL: none that can be read.
    reason text not null: Kind of refusal, a fixed word: no_serial, bad_serial, bad_time, future, too_old, out_of_range, bad_value, nothing_known, not_an_object, not_json, other_tenant, other_device, refused_by_database.
    detail text not null: What exactly was wrong, for a person.
    body text not null: The item exactly as it was sent.
    inherited jsonb: Ids given by the objects around the item: deviceSn, customerId, orgId, userId. NULL: none.
    key_customer_id bigint: Tenant of the key the item was sent with: a replay stores no data of other tenants. 0: a key of one device, whose tenant is the owner in the directory. NULL: a key of all tenants, or no key.
    digest bytea: SHA-256 of what identifies it: source, serial, reason and detail, text, inherited, tenant of the key. NULL: the row is older than this column.
    times bigint not null default 1: How often it was received. Over all rows the sum is what vitals.ingest_batch counts as rejected.
    last_received_at timestamp with time zone: When it was last received. NULL: once only.
    constraint rejected_upload_pkey PRIMARY KEY (rejected_upload_id)
    constraint rejected_upload_source_check CHECK ((source = ANY (ARRAY['health'::text, 'health_batch'::text, 'device_info'::text, 'event'::text, 'buffer'::text])))
    constraint rejected_upload_times_check CHECK ((times > 0))
    CREATE INDEX rejected_upload_device_sn_idx ON public.rejected_upload USING btree (device_sn, received_at)
    CREATE UNIQUE INDEX rejected_upload_digest_key ON public.rejected_upload USING btree (digest)
    CREATE INDEX rejected_upload_received_at_idx ON public.rejected_upload USING btree (received_at)
table rollup: One row per rollup: its source, its definition, and how far it is materialised.
    name text not null: Name of the view in schema public.
    position smallint not null: Order of refresh: a rollup comes after its source.
    source text not null: The relation from which it is computed: health_data or another rollup.
    width interval not null: Width of a bucket, in the local time of time_zone.
    time_zone text not null: Zone in which the buckets are cut (IANA name). Fixed when the rollup was created.
    definition text not null: The SELECT of sql/rollups, without comments and with the zone filled in.
    kept_by text not null: timescaledb: a continuous aggregate. vitals: a table, a view, and refresh_rollups().
    watermark timestamp with time zone not null default '-infinity'::timestamp with time zone: Buckets before it are materialised, later ones are computed when they are read. -infinity for a continuous aggregate, whose watermark TimescaleDB stores.
    marked_below timestamp with time zone: The relay marks late rows before this time in vitals.rollup_dirty. A refresh raises it, and commits, before it moves the watermark. NULL: not the rollup over health_data.
    live_from timestamp with time zone not null default '-infinity'::timestamp with time zone: Value of vitals.<name>_live_from(): a bound at or before the watermark that the planner can read.
    live_from_next timestamp with time zone not null default '-infinity'::timestamp with time zone: Next value of live_from: the watermark at live_from_next_at.
    live_from_next_at timestamp with time zone not null default now(): When live_from_next was set. It is published when no snapshot of a reader can be older.
    refreshed_at timestamp with time zone: Start of the last refresh that finished. NULL: none has.
    constraint rollup_kept_by_check CHECK ((kept_by = ANY (ARRAY['timescaledb'::text, 'vitals'::text])))
    constraint rollup_live_from_check CHECK (((live_from <= live_from_next) AND (live_from_next <= watermark)))
    constraint rollup_marked_below_check CHECK ((watermark <= marked_below))
    constraint rollup_pkey PRIMARY KEY (name)
    constraint rollup_position_key UNIQUE ("position")
table rollup_chunk: The chunks from which each rollup was computed. Where a chunk was dropped, the rollup is the only record left and is not computed again.
    rollup text not null: The rollup.
    chunk text not null: Chunk of its source, schema and name.
    span tstzrange not null: Time of the chunk. After it was dropped: the part of it that was materialised.
    gone boolean not null default false: Whether the chunk was dropped.
    constraint rollup_chunk_pkey PRIMARY KEY (rollup, chunk)
    constraint rollup_chunk_rollup_fkey FOREIGN KEY (rollup) REFERENCES rollup(name) ON DELETE CASCADE
    CREATE INDEX rollup_chunk_span_idx ON vitals.rollup_chunk USING gist (span)
table rollup_dirty: Changes before the watermark: quarter hours to compute again, at most one UTC day per row.
    device_sn text not null: Serial number of the device.
    from_bucket timestamp with time zone not null: First quarter hour.
    to_bucket timestamp with time zone not null: End of the last one, exclusive.
    mark_id bigint not null: Ascending number of the mark.
    marked_at timestamp with time zone not null default now(): When the relay, or a change by hand, marked it.
    constraint rollup_dirty_range_check CHECK ((from_bucket < to_bucket))
    CREATE INDEX rollup_dirty_device_idx ON vitals.rollup_dirty USING btree (device_sn, from_bucket, mark_id)
    CREATE INDEX rollup_dirty_from_bucket_idx ON vitals.rollup_dirty USING btree (from_bucket)
table schema_object: Functions, views and grants as `vitals migrate` and `vitals roles` applied them; vitals.schema_changes() shows what was changed since.
    kind text not null: function, view or grant.
    name text not null: Name of the object; for a function with the types of its parameters; for a grant the role and the object.
    definition text not null: SHA-256 of the definition; for a grant the privileges themselves.
    constraint schema_object_kind_check CHECK ((kind = ANY (ARRAY['function'::text, 'view'::text, 'grant'::text])))
    constraint schema_object_pkey PRIMARY KEY (kind, name)
table schema_state: One row: which functions, views and grants `vitals migrate` applied last.
    only_row boolean not null default true: True: there is one row.
    program_hash text not null: SHA-256 of the texts of functions, rollups and roles in the program that applied them.
    server_version integer not null: Major version of PostgreSQL; another version may print the definition of a view differently.
    applied_at timestamp with time zone not null default now(): When.
    applied_by text not null default SESSION_USER: By which role.
    program_version text not null default '0.1.0'::text: Version of that program. An older program starts if oldest_program allows it.
    head integer not null default 0: The newest migration that this program has, also if it is not applied yet.
    oldest_program integer not null default 0: The oldest program that works with the schema, as the newest migration that it has: the last applied migration that contracts. 0: no migration contracted.
    constraint schema_state_only_row_check CHECK (only_row)
    constraint schema_state_pkey PRIMARY KEY (only_row)
table sent_device: Devices that runs of sql/cells/send.sql sent to another cell. Without a row a device is sent from its first row on, and nothing of it is deleted here.
    run bigint not null: Number of the run: its transaction (txid_current()).
    device_sn text not null: Serial number of the device.
    events_hash text: Hash of the events that were sent (vitals.hash_of_events), of transactions that are over. NULL: there were none.
    constraint sent_device_pkey PRIMARY KEY (device_sn, run)
table shift: Who is on duty when: hours of the week that recur, or a single period. Routes with the audience on_duty notify the contacts on duty.
    shift_id bigint not null: Number of the shift.
    customer_id bigint: Tenant for whose alerts the contact is on duty. NULL: for those of a unit, or an absence.
    org_id bigint: Organisation unit for whose alerts the contact is on duty; sub-units without shifts of their own included. NULL: for those of a tenant, or an absence.
    contact_id bigint not null: Who is on duty, or absent.
    kind text not null default 'duty'::text: duty; absence (leave, illness: the contact is not on duty, whatever other rows say).
    starts_at timestamp with time zone not null default now(): Start of the period, or of the weeks in which the hours recur.
    ends_at timestamp with time zone: End, exclusive. NULL: the hours recur until further notice.
    weekly_days smallint[]: Days of the week on which the hours begin, 1 Monday to 7 Sunday. NULL: every day, or a single period.
    from_time time without time zone: Local time at which the hours begin. NULL: a single period.
    until_time time without time zone: Local time at which they end, exclusive; before from_time: on the next day. NULL: a single period.
    time_zone text: Zone of the hours (IANA name). NULL: that of the rollups.
    note text: For people. NULL: none.
    constraint shift_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES contact(contact_id) ON DELETE CASCADE
    constraint shift_end_check CHECK (((ends_at IS NOT NULL) OR ((kind = 'duty'::text) AND (from_time IS NOT NULL))))
    constraint shift_hours_check CHECK ((((from_time IS NULL) = (until_time IS NULL)) AND (from_time <> until_time) AND ((kind = 'duty'::text) OR (from_time IS NULL))))
    constraint shift_kind_check CHECK ((kind = ANY (ARRAY['duty'::text, 'absence'::text])))
    constraint shift_org_id_fkey FOREIGN KEY (org_id) REFERENCES org_unit(org_id) ON DELETE CASCADE
    constraint shift_period_check CHECK ((starts_at < ends_at))
    constraint shift_pkey PRIMARY KEY (shift_id)
    constraint shift_scope_check CHECK ((num_nonnulls(customer_id, org_id) =
CASE kind
    WHEN 'duty'::text THEN 1
    ELSE 0
END))
    constraint shift_weekly_days_check CHECK (((weekly_days IS NULL) OR ((from_time IS NOT NULL) AND ((cardinality(weekly_days) >= 1) AND (cardinality(weekly_days) <= 7)) AND (weekly_days <@ '{1,2,3,4,5,6,7}'::smallint[]))))
    CREATE INDEX shift_contact_id_idx ON public.shift USING btree (contact_id)
    CREATE INDEX shift_customer_id_idx ON public.shift USING btree (customer_id)
    CREATE INDEX shift_org_id_idx ON public.shift USING btree (org_id)
    CREATE TRIGGER shift_check BEFORE INSERT OR UPDATE OF time_zone ON public.shift FOR EACH ROW EXECUTE FUNCTION time_zone_check()
view sleep_night.device_sn text: Serial number of the device.
view sleep_night.night date: Local day on which the sleep ended. Segments at most two hours apart are one sleep; a day may hold a night and naps.
view sleep_night.start_ts timestamp with time zone: When the first of them began.
view sleep_night.end_ts timestamp with time zone: When the last of them ended.
view sleep_night.sleeps integer: Sleeps that ended on the day.
view sleep_night.segments integer: Segments they are made of.
view sleep_night.light_hours numeric: Hours of light sleep, each instant once; an instant that is also reported as deep counts as deep.
view sleep_night.deep_hours numeric: Hours of deep sleep, each instant once.
view sleep_night.unknown_hours numeric: Hours of sleep of neither light nor deep type, each instant once.
view sleep_night.total_hours numeric: Hours of sleep, each instant once: light + deep + unknown.
view sleep_night.legacy_hours numeric: The figure of the ljwx server: plain sum of all segments, overlaps counted twice, hours rounded to 2 decimals.
view sleep_night.customer_id bigint: Tenant by the last segment that names one. NULL: none does.
view sleep_night.org_id bigint: Organisation unit by the last segment that names one. NULL: none does.
view sleep_night.user_id bigint: Wearer by the last segment that names one. NULL: none does.
table sleep_segment: Sleep as reported by devices: one row per element of a sleep document, however often it is sent. Segments may overlap; sleep_night merges them.
    device_sn text not null: Serial number of the device.
    start_ts timestamp with time zone not null: Start of the segment.
    end_ts timestamp with time zone not null: End of the segment, exclusive.
    type_code integer: Type as sent: 1 light, 2 deep; what other codes mean is not known. NULL: not sent.
    stage text not null default 
CASE type_code
    WHEN 1 THEN 'light'::text
    WHEN 2 THEN 'deep'::text
    ELSE 'unknown'::text
END: What type_code means: light, deep, unknown.
    end_day date not null: Local day on which the segment ends, in the zone of the rollups (vitals.rollup). The key by which nights are found.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    ts timestamp with time zone not null: Event time of the sample that first contained it.
    received_at timestamp with time zone not null: When the service received that upload.
    batch_id bigint not null default txid_current(): Transaction that last wrote the row (txid_current()).
    constraint sleep_segment_key UNIQUE NULLS NOT DISTINCT (device_sn, start_ts, end_ts, type_code)
    constraint sleep_segment_span_check CHECK ((start_ts < end_ts))
    CREATE INDEX sleep_segment_day_idx ON public.sleep_segment USING btree (end_day)
    CREATE INDEX sleep_segment_device_day_idx ON public.sleep_segment USING btree (device_sn, end_day)
    CREATE INDEX sleep_segment_device_week_idx ON public.sleep_segment USING btree (device_sn, ((date_trunc('week'::text, (end_day)::timestamp without time zone))::date))
view sleep_week.device_sn text: Serial number of the device.
view sleep_week.week date: Monday of the week.
view sleep_week.nights integer: Days of the week on which a sleep ended.
view sleep_week.light_hours numeric: Hours of light sleep.
view sleep_week.deep_hours numeric: Hours of deep sleep.
view sleep_week.unknown_hours numeric: Hours of sleep of neither light nor deep type.
view sleep_week.total_hours numeric: Hours of sleep; divided by nights, the mean.
view sleep_week.legacy_hours numeric: Sum of the legacy figures of its days.
view sleep_week.customer_id bigint: Tenant by the last day that names one. NULL: none does.
view sleep_week.org_id bigint: Organisation unit by the last day that names one. NULL: none does.
view sleep_week.user_id bigint: Wearer by the last day that names one. NULL: none does.
view unknown_event_type.event_type text: Short type, upper case, as in device_event.
view unknown_event_type.count bigint: How often it came.
view unknown_event_type.first_seen_at timestamp with time zone: When it first came.
view unknown_event_type.last_seen_at timestamp with time zone: When it last came.
view unknown_event_type.device_sn text: First device that sent it. NULL: the upload had no serial.
table unknown_name: Names in uploads that the service does not know, each once. At most 1000: beyond that, the least frequent are deleted.
    kind text not null: Where the name was used: a field of a sample, of device_info or of an event, or an event_type.
    name text not null: The name as it was sent, without control characters, at most 64 bytes.
    count bigint not null: How often it was sent.
    first_seen_at timestamp with time zone not null: When it first came.
    last_seen_at timestamp with time zone not null: When it last came.
    device_sn text: First device that sent it. NULL: the upload had no serial.
    constraint unknown_name_count_check CHECK ((count > 0))
    constraint unknown_name_kind_check CHECK ((kind = ANY (ARRAY['sample'::text, 'device_info'::text, 'event'::text, 'event_type'::text])))
    constraint unknown_name_pkey PRIMARY KEY (kind, name)
table watch_log: Log lines of watches, each once, kept for a week (policy).
    watch_log_id bigint not null: Number of the line.
    device_sn text: Serial number of the device. NULL: the line has none that can be read.
    ts timestamp with time zone not null: When the device wrote it; the time of receipt if the line has no usable time.
    received_at timestamp with time zone not null: When the service received it.
    level text: Level of the line, the word of the device, at most 32 bytes. NULL: none.
    content text not null: The line; text beyond 16 KiB is cut off.
    customer_id bigint: Tenant of the device at that time, 64 bit. NULL: not known.
    constraint watch_log_content_check CHECK ((octet_length(content) <= 16384))
    constraint watch_log_pkey PRIMARY KEY (watch_log_id)
    CREATE UNIQUE INDEX watch_log_line_key ON public.watch_log USING btree (device_sn, ts, md5(content)) NULLS NOT DISTINCT
    CREATE INDEX watch_log_received_at_idx ON public.watch_log USING btree (received_at)
table workout: Workouts: one row per device, start and type. If it is sent again with other figures, the larger ones are kept, in any order.
    device_sn text not null: Serial number of the device.
    start_ts timestamp with time zone not null: Start of the workout.
    end_ts timestamp with time zone not null: End of the workout; the latest that was sent.
    workout_type integer: Type as sent; workout_type has the names. NULL: not sent.
    calorie numeric: Energy as sent, in the unit of the device (small calories in samples; documents name none); the largest that was sent. NULL: not sent.
    distance numeric: Distance, metres; the largest that was sent. NULL: not sent.
    record_id text: The device's own number of the workout. NULL: not sent.
    customer_id bigint: Tenant, 64 bit. NULL: not known.
    org_id bigint: Organisation unit, 64 bit. NULL: not known.
    user_id bigint: Wearer, 64 bit. NULL: not known.
    ts timestamp with time zone not null: Event time of the sample that first contained it.
    received_at timestamp with time zone not null: When the service received that upload.
    batch_id bigint not null default txid_current(): Transaction that last wrote the row (txid_current()).
    constraint workout_key UNIQUE NULLS NOT DISTINCT (device_sn, start_ts, workout_type)
    constraint workout_span_check CHECK ((start_ts < end_ts))
    CREATE INDEX workout_start_ts_idx ON public.workout USING btree (start_ts)
view workout_named.device_sn text: Serial number of the device.
view workout_named.day date: Local day on which it began, in the zone of the rollups. To choose by time, start_ts is quicker.
view workout_named.start_ts timestamp with time zone: Start of the workout.
view workout_named.end_ts timestamp with time zone: End of the workout.
view workout_named.workout_type integer: Type as sent. NULL: not sent.
view workout_named.workout_name text: What the type means; unknown, where workout_type has no name for it.
view workout_named.minutes numeric: Minutes from start to end.
view workout_named.calorie numeric: Energy as sent, see workout.calorie. NULL: not sent.
view workout_named.distance numeric: Distance, metres. NULL: not sent.
view workout_named.record_id text: The device's own number of the workout. NULL: not sent.
view workout_named.customer_id bigint: Tenant, 64 bit. NULL: not known.
view workout_named.org_id bigint: Organisation unit, 64 bit. NULL: not known.
view workout_named.user_id bigint: Wearer, 64 bit. NULL: not known.
table workout_type: Names of the workout types. A DBA may add or rename one; no row of workout depends on it.
    workout_type integer not null: Code as devices send it.
    name text not null: Name of the type, in English.
    constraint workout_type_pkey PRIMARY KEY (workout_type)
function accepts_readings(text)
function account_changed()
function account_grants(bigint)
function acknowledge_alert(bigint,text,text)
function add_devices(bigint[],text[],timestamp with time zone,timestamp with time zone,timestamp with time zone,timestamp with time zone)
function add_rollup_keys()
procedure advance_continuous()
function advance_rollups()
function advance_to(rollup)
function after_quiet_hours(timestamp with time zone,time without time zone,time without time zone,text)
function alert_audience(bigint[])
function alert_bounds_refusal(text,numeric,numeric,text,text,text)
function alert_conditions_refusal(jsonb)
function alert_deleted()
function alert_levels_refusal(alert_rule)
function alert_lock()
function alert_message(alert_rule,text,text,integer,timestamp with time zone,bigint,bigint,bigint)
function alert_partition(text)
function alert_partitions(text[])
function alert_peak_severity()
function alert_rule_changed()
function alert_rule_check()
function alert_rule_common_refusal(alert_rule)
function alert_rule_defaults()
function alert_rule_kind_refusal(alert_rule)
function alert_rule_refusal(alert_rule)
function alert_rule_refusal_json(alert_rule)
function alert_rule_replacement_refusal(alert_rule)
function alert_rule_texts_outdated()
function alert_time(alert_rule,text,timestamp with time zone,text)
function alert_translations(alert_rule,text,text,integer,timestamp with time zone,bigint,bigint,bigint)
function alerts_to_notify(bigint[],text)
function api_key_changed()
function api_key_stays_revoked()
function app_user_changed()
function app_user_inserted()
procedure apply_policies()
procedure apply_policies_job(integer,jsonb)
function assign_alert(bigint,bigint,text,text)
function audience_of_subjects(alert_subject[])
function begin_erasure(text,text)
function begin_notification_steps(bigint[],bigint[],text,timestamp with time zone)
function bind_device(text,bigint,timestamp with time zone)
function block_rollup_refresh()
function bound_tenants(name)
function bounds_in_force()
function breached_pairs(bigint[],text[],boolean,timestamp with time zone,timestamp with time zone,timestamp with time zone,timestamp with time zone)
function bucket_end(interval,text,timestamp with time zone)
function bucket_start(interval,text,timestamp with time zone)
function check_rollup_zone(text)
function chosen_ids(text,text,text)
function comment_rollups()
function compress_oldest_chunk(text)
function conditions_hold(text,bigint,bigint,bigint,timestamp with time zone,text,jsonb,integer)
function contacts_on_duty(timestamp with time zone)
function count_erased(bigint,text,bigint)
function create_dashboard_rollups()
function create_rollup(text,smallint,text,interval,text,interval,text)
function create_rollup_table(text,text,regclass,interval,interval)
function dashboard.device_15m(text,timestamp with time zone,timestamp with time zone)
function dashboard.device_daily(text,timestamp with time zone,timestamp with time zone)
function dashboard.device_days(text,text,timestamp with time zone,timestamp with time zone)
function dashboard.device_hourly(text,timestamp with time zone,timestamp with time zone)
function dashboard.device_monthly(text,timestamp with time zone,timestamp with time zone)
function dashboard.device_samples(text,timestamp with time zone,timestamp with time zone,bigint)
function dashboard.device_track(text,timestamp with time zone,timestamp with time zone,bigint)
function dashboard.device_weekly(text,timestamp with time zone,timestamp with time zone)
function dashboard.person_15m(bigint,timestamp with time zone,timestamp with time zone)
function dashboard.person_daily(bigint,timestamp with time zone,timestamp with time zone)
function dashboard.person_hourly(bigint,timestamp with time zone,timestamp with time zone)
function dashboard.person_monthly(bigint,timestamp with time zone,timestamp with time zone)
function dashboard.person_samples(bigint,timestamp with time zone,timestamp with time zone,bigint)
function dashboard.person_weekly(bigint,timestamp with time zone,timestamp with time zone)
function dashboard.use_tenant(bigint[])
function dashboard.use_unit(bigint[])
function dashboard.worn(bigint,timestamp with time zone,timestamp with time zone)
function dashboard_rollup_columns(rollup)
function dashboard_tenant_bound()
function dashboard_tenants(name)
function dashboard_units()
function database_origin()
function default_zone()
function delete_excess_rejects()
function delete_old_rows(text,integer)
function derive_alerts(alert_rule[],integer[],text[],owner[],timestamp with time zone[],timestamp with time zone[],boolean[],timestamp with time zone[],timestamp with time zone[],integer[],boolean,timestamp with time zone,timestamp with time zone)
function device_binding_changed()
function device_key_revocation_stays()
function device_owner(text[])
function device_owner_at(text[],timestamp with time zone[])
function devices_of(bigint,text,text)
function directory_changed(text[])
function directory_lock()
function drop_oldest_chunk(text)
function drop_rollups()
function edition()
function effective_ts(timestamp with time zone,timestamp with time zone)
function empty_rollups_on_truncate()
function end_account_sessions()
function end_notification_steps(bigint[])
function ends_without_alert(alert_rule,text,owner,timestamp with time zone,derived_alert[])
function erase(text,text)
function erase_device(text)
function erase_linked_rows(bigint,text,text)
function erase_step(bigint,text,text,text,timestamp with time zone,timestamp with time zone)
function erase_user(bigint)
function erase_user_chunk(bigint,bigint,text,text,timestamp with time zone,timestamp with time zone)
function erasure_predicate(text,text,text)
function erasure_spans(text,text)
function erasure_steps(text)
function estimated_rows(regclass)
function evaluate_alerts(bigint[],text[],bigint,boolean,timestamp with time zone,timestamp with time zone,timestamp with time zone,timestamp with time zone)
function evaluate_pairs(alert_pairs)
function evaluate_silence()
function evaluate_slice(uuid,bigint,integer,integer)
function evaluated_until(alert_rule[],integer[],text[],timestamp with time zone[],timestamp with time zone[],timestamp with time zone,timestamp with time zone)
function excess_rejects(bigint)
function expire_alerts()
function extend_alerts(alert_rule[],integer[],text[],owner[],timestamp with time zone[],timestamp with time zone[],boolean[],timestamp with time zone[],timestamp with time zone[],integer[],bigint[],timestamp with time zone,timestamp with time zone)
function extend_rollup(text,text,text[],text[])
function finish_batches(uuid,bigint[],text[],timestamp with time zone,timestamp with time zone)
function finite(numeric)
function fire_repeated_alarms(alert_changes,bigint[],text[],boolean,timestamp with time zone,timestamp with time zone)
function first_batch(bigint[])
function foreign_functions()
function gone_from_source(rollup,timestamp with time zone,timestamp with time zone)
function graver_severity(text,text)
function has_compressed(text,timestamp with time zone,timestamp with time zone)
function has_scoped_rules()
function hash_of_events(device_event[])
function health_by_day(text,text,date,date)
function in_effect(timestamp with time zone,time without time zone,time without time zone,smallint[],text)
function is_abandoned(bigint)
function is_breach(text,numeric,numeric,numeric,text,bigint,bigint,bigint,timestamp with time zone,text,jsonb,integer)
function is_contact_within(bigint,bigint,bigint)
function is_evaluated_row(bigint,text,bigint[],text[],boolean)
function is_measured(text,text[],health_data)
function is_raised(integer,integer[],boolean[])
function is_raised_by(alert_rule,derived_alert,alert)
function is_same_clock(timestamp with time zone,timestamp with time zone,timestamp with time zone,timestamp with time zone)
function is_time_zone(text)
function is_urgent_event(text)
function kiosk_link_stays_revoked()
function last_batch(bigint[])
function last_sequence(bigint,text[])
function late_alerts(integer[],integer[],text[],boolean[],text[],interval[],timestamp with time zone[],timestamp with time zone[],boolean,timestamp with time zone)
function length_of(interval,integer)
function level_actions(integer,integer[],timestamp with time zone[])
function level_after(integer,integer,integer,boolean,boolean,boolean,boolean,integer,integer)
function level_of_severity(alert_rule,text)
function level_of_state(integer[])
function lives_elsewhere(bigint,text)
function lock_alert(bigint,text)
function lock_alert_partitions(text[],integer)
function lock_alerts(text[],bigint)
function lock_continued_alerts(text[])
function lock_event_alerts(text[])
function lock_rollups()
function mark_range(timestamp with time zone,timestamp with time zone)
function mark_requests()
function mark_rollups(bigint[],timestamp with time zone,timestamp with time zone)
function mark_rollups_on_delete()
function mark_rollups_on_deleted_row()
function mark_rollups_on_update()
function matching_routes(bigint[])
function measure_clocks(text[],timestamp with time zone[])
function metric()
function metric_range(text)
function metric_value(text,health_data)
function narrow_rollups()
function narrowed_tenants(bigint[],bigint[])
function next_level(integer[],integer,integer,integer,boolean,boolean,boolean,boolean,integer,integer)
function next_updated_at(timestamp with time zone)
function note_alert(bigint,text,text)
function note_policy_change()
function notify_alerts(bigint[],text)
function notify_at_once(bigint[],text,timestamp with time zone)
function notify_due_steps(integer)
function notify_of_assignment(bigint[],timestamp with time zone)
function notify_of_outcome(bigint[],text,timestamp with time zone)
function oldest_pending_change(timestamp with time zone)
function org_unit_changed()
function org_unit_inserted()
function outbox_add()
function pairs_to_evaluate(alert_pairs,bigint[],text[],boolean,timestamp with time zone,timestamp with time zone)
function peak_of_run(text,text,bigint,bigint,bigint,timestamp with time zone,timestamp with time zone,numeric,numeric,numeric,boolean)
function placement_changed()
function plan_policies()
function policy_check()
function policy_chunks(name,name)
function policy_cutoff(text,timestamp with time zone)
function policy_refusal()
function policy_relations()
function prepare_batches(uuid,bigint[],text[],timestamp with time zone,timestamp with time zone,boolean)
function publish_alert_changes(alert_changes)
function raise_mark()
function rebuild_alerts(alert_rule[],integer[],text[],owner[],timestamp with time zone[],timestamp with time zone[])
function rebuild_range(alert_rule,text,owner,timestamp with time zone,timestamp with time zone,timestamp with time zone,interval)
function reception_began_at()
function recompute_devices(text[],timestamp with time zone[],timestamp with time zone[])
function recompute_rollup(rollup,timestamp with time zone,timestamp with time zone,text[],timestamp with time zone[],timestamp with time zone[])
function reconcile_alerts(alert_rule,text,owner,timestamp with time zone,timestamp with time zone,derived_alert[],alert_changes)
function record_alert_action(bigint[],text,text,text)
function record_grants()
function record_policy_run(text,bigint,bigint,bigint,text)
function record_reception()
function record_schema(text,text,integer,integer,boolean)
function record_severity(alert_rule,bigint,alert,derived_alert,text,text)
function refresh_marked(bigint)
procedure refresh_rollups(timestamp with time zone,timestamp with time zone)
procedure refresh_rollups_job(integer,jsonb)
function refreshable(rollup,timestamp with time zone,timestamp with time zone)
function refusal(text,text,jsonb)
function refuse(jsonb,text)
function refuse_foreign_functions()
function refuse_policy_truncate()
function refuse_resolved_alert(alert)
function replaced_by(alert_rule,alert)
function replay_notifications(alert_rule,text[],timestamp with time zone,timestamp with time zone)
function replay_rule(alert_rule,text[],timestamp with time zone,timestamp with time zone)
function request_refresh(timestamp with time zone,timestamp with time zone)
function resolve_alert(bigint,text,text)
function resolve_alerts_of_disabled_rules()
function retention_hold_reason(text)
function retention_refusal(text,interval)
function rolled_up_after(text)
function rollup_insert(rollup,text,text)
function rollup_layout(regclass,interval)
function rollup_source_table(rollup)
function rollup_table(text)
function rollup_watermark(rollup)
function rollups_are_current()
function routes_of_subjects(alert_subject[])
function row_scopes(bigint,bigint,bigint,text)
function rule_applies(text,bigint,text[])
function rule_at_level(alert_rule,integer)
function rule_lookback(jsonb,integer)
function rule_readings(alert_rule[],integer[],text[],owner[],timestamp with time zone[],timestamp with time zone[],boolean[],boolean,timestamp with time zone,timestamp with time zone)
function rule_scope(bigint,bigint,bigint,text)
function schedule_rollups()
function schema_changes()
function schema_objects()
function severity_of_level(alert_rule,integer)
function severity_rank(text)
function show_alerts(bigint[])
function show_materialised(text,text,regclass,interval)
function show_rollup(rollup)
function silenced_alerts(bigint[])
function silences_at(bigint,bigint,text,bigint,timestamp with time zone)
function silent_devices(alert_rule,text[])
function slice_batch(uuid,bigint,text[],timestamp with time zone,timestamp with time zone,boolean)
function start_ids_at(integer)
function subjects_of_alerts(bigint[])
function sync_columnstore(text,text,name,name,text,interval)
function sync_policies()
function tenant_of_rule(bigint,bigint,bigint,text)
function tenant_setting(name)
function time_zone_check()
function trace_of_alert(bigint)
function update_device_from_info()
function watch_changes_by_hand()
function watched_jobs()
function wearer_of_alert(text,bigint,bigint)
function write_alert(alert_rule,text,bigint,derived_alert,alert_changes)
function write_silence_alerts(alert_rule,text[])
