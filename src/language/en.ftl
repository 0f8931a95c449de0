# What people read in English. zh.ftl has the same messages with the same arguments (tests/it/language.rs).
# Words in { $argument } come from devices, people and the database; whoever shows the text has escaped them.

### Alerts in general

severity = { $severity ->
    [critical] critical
    [major] major
    [minor] minor
   *[info] info
}
# Why an alert ended: a word of the column `resolution`, or what else stands there ($words).
resolution = { $resolution ->
    [recovered] recovered
    [over] over
    [expired] expired
    [manual] resolved by a person
    [rule_disabled] rule switched off
    [retracted] retracted: late data contradicts it
   *[other] { $words }
}

### Notifications

notice-tag = { $kind ->
    [resolved] [resolved]
   *[fired] [{ severity }]
}
notice-title = { notice-tag } { $rule }
notice-line = { $kind ->
    [raised] { notice-tag } more severe: { $message }
    [escalated] { notice-tag } not acknowledged: { $message }
    [repeated] { notice-tag } still not acknowledged: { $message }
    [acknowledged] { notice-tag } acknowledged by { $by }: { $message }
    [assigned] { notice-tag } assigned to you by { $by }: { $message }
    [resolved] { notice-tag } ({ resolution }) { $message }
   *[fired] { notice-tag } { $message }
}
message-number = message no. { $number }
alerts-title = { $critical ->
    [0] { $count } { $count ->
        [one] alert
       *[other] alerts
    }
   *[other] { $count } { $count ->
        [one] alert
       *[other] alerts
    }, { $critical } critical
}

# The line below an alert.
details-late = { $minutes } min after it happened
details-room = room { $room }
details-value = { $which ->
    [both] { $value } ({ $min } to { $max })
    [min] { $value } (below { $min })
    [max] { $value } (above { $max })
   *[none] { $value }
}
details-since = since { $since }
details-readings = last values: { $readings }
reading = { $metric ->
    [heart_rate] heart rate { $value }/min
    [blood_oxygen] oxygen saturation { $value } %
    [pressure] blood pressure { $value } mmHg
    [pressure_high] systolic pressure { $value } mmHg
    [pressure_low] diastolic pressure { $value } mmHg
    [temperature] body temperature { $value } °C
    [skin_temperature] skin temperature { $value } °C
    [respiratory_rate] respiratory rate { $value }/min
    [heart_rate_variability] heart rate variability { $value } ms
    [blood_glucose] blood glucose { $value } mmol/L
    [stress] stress { $value }
   *[other] { $metric } { $value }
}

### Test messages

test-title = test message of vitals
test-line = This is a test message of vitals, sent at { $at }: messages of alerts reach this address
test-failed = { $channel } { $address }: { $reason }
test-nobody = nobody to send to: there is no contact of this name with an address in use
test-sent = { $channel } { $address }: sent

### Notifications to operators

system-title = { notice-tag } vitals: { system-condition }
system-line = { $kind ->
    [resolved] { notice-tag } vitals { $instance }: { $message }, from { $since } to { $until }
   *[fired] { notice-tag } vitals { $instance }: { $message }, since { $since }
}
system-alerts-title = { $critical ->
    [0] { $count } changes of vitals
   *[other] { $count } changes of vitals, { $critical } critical
}
system-condition = { $condition ->
    [high_error_rate] high error rate
    [queue_near_overflow] queue near overflow
    [memory] memory nearly used up
    [processing_lag] processing lag
    [writer_stopped] writer stopped
    [postgres_away] PostgreSQL does not answer
    [redis_away] Redis does not answer
    [rollups_late] rollups are late
    [jobs] jobs of TimescaleDB fail
    [buffer_away] the buffer takes no uploads
    [buffer_near_full] the buffer is nearly full
    [buffer_late] buffered uploads are not stored
    [urgent_event] an urgent event waits
   *[other] { $condition }
}
system-high-error-rate = { $percent } % of the records of the last minute were refused or failed
system-queue-near-overflow = the queue of writer { $writer } is { $percent } % full
system-memory = the process takes { $used } of { $limit } MiB
system-processing-lag = what was committed waits { $seconds } s for its reaction
system-writer-stopped = writer { $writer } has committed nothing for { $seconds } s while rows wait
system-postgres-away = PostgreSQL does not answer, or does not commit
system-redis-away = Redis does not answer
system-rollups-late = a refresh of the rollups has been due for { $seconds } s, so late rows do not show in them: either one takes that long, or none comes to its end, and the log of the instances says why ("rollups are not refreshed"). `vitals refresh` makes one by hand
system-jobs = of TimescaleDB: { $findings }
system-buffer-away = the buffer takes no uploads: { $reason }
system-buffer-near-full = buffered uploads take { $percent } % of buffer_max_bytes
system-buffer-late = an upload has waited { $seconds } s in the buffer
system-urgent-event = { $event } of device { $device } waits in the buffer: no rule has been evaluated, and nobody else is notified yet
system-urgent-event-stored = { $event } of device { $device } was stored { $seconds } s after it was received, and its rules are evaluated now

### The HTTP API and the command line

alert-absent = there is no alert { $id }

access-no-key = a key is needed that is in force: Authorization: Bearer <key>
access-scope = the key has not the scope { $scope }
access-role = this is not open to the role in which you work
access-every-tenant = this concerns every tenant, and the key is of one
access-other-tenant = the key is of another tenant
access-other-person = the key may not act in the name of another person
access-other-device = the key is of another device
access-other-site = a page of another site has caused this request: only pages of this service change something
access-not-logged-in = nobody is logged in
access-too-many = too many requests
access-unavailable = the key cannot be looked up: the database does not answer
actor-empty = actor is empty: who does it?
actor-too-long = actor is longer than { $most } characters
body-crowded = too many large bodies are being read
body-encoding = Content-Encoding must be gzip, zstd or identity, and only one of them
body-not-json = Content-Type must be application/json
body-refused = the body: { $reason }
body-slow = the body did not arrive in time
body-too-large = { $measured ->
    [unpacked] the body is larger than { $bytes } bytes unpacked
    [when-read] the body is larger than { $bytes } bytes when read
   *[sent] the body is larger than { $bytes } bytes
}
body-unreadable = the body cannot be read: { $reason }
config-failed = the configuration cannot be read
config-unavailable = the configuration cannot be read now
database-unavailable = the database does not answer in time
role-denied = the database role of the service may not do this: the role vitals_administration has the right
method-not-allowed = this path takes another method
note-too-long = note is longer than { $most } characters
number-absent = there is nothing of this number
parameter-no-cursor = the cursor of the previous page is expected
parameter-no-limit = a number from 1 to 500 is expected
parameter-no-time = a time such as 2026-01-31T08:00:00Z is expected
parameter-refused = { $name }: { $reason }
parameter-repeated = { $name } is given several times
parameter-unknown = there is no parameter "{ $name }"
path-absent = no such path
request-refused = refused
rule-absent = there is no rule { $id }
rule-changed-meanwhile = rule { $id } was changed meanwhile, by { $by } at { $at }: its version is { $version }
rule-has-alerts = rule { $id } has alerts: switch it off ("enabled": false)
rule-is-replaced = other rules replace rule { $id } for a tenant, a unit, a person or a device: delete them first, or switch it off ("enabled": false)
address-absent = there is no address { $id }
address-empty = an address has from 1 to 2000 bytes
address-form = that is no address of this channel: of a robot of DingTalk or Feishu it is the token, the part of its URL after "access_token=" or "/hook/"; a phone number is of the form +8613800138000
address-of-unknown = there is no such contact
address-taken = the contact has this address already
route-absent = there is no route { $id }
route-channel-unknown = there is no channel "{ $channel }": { $names }
route-contact = the audience contact needs a contact (contact_id), and no other audience has one
route-of-unknown = there is no such contact or rule
route-quiet-hours = quiet hours have a beginning and an end that differ
route-seconds = an escalation comes after 0 s to 7 days (after_seconds, at most 604800), repeats come every 30 s to 24 hours (repeat_seconds, at most 86400) and 1 to 10000 times (repeat_times), and messages are merged for at most an hour (merge_seconds, at most 3600)
rule-id-differs = rule_id is another than that of the path
rule-replaced-already = another rule replaces this one for the same tenant, unit, person or device already
service-failed = a fault of the service; its log says more
severity-twice = either severity or min_severity, not both
shift-absent = there is no shift { $id }
shift-backwards = a shift ends after it begins
shift-end-missing = a shift has hours of the day (from_time, until_time) or an end (ends_at)
shift-hours = hours of the day are from_time and until_time, which differ; weekly_days are 1 (Monday) to 7 (Sunday) and need hours; an absence has neither
shift-of-unknown = there is no such contact or unit
shift-scope = a shift names either a tenant or a unit, an absence neither
silence-absent = there is no silence { $id }
time-of-day-invalid = "{ $time }" is no time of day such as 07:00
upload-no-valid-record = no valid record
writer-absent = there is no writer { $name }: { $names }

### The command line

absent = absent
age = { $age } ago
alert-action = { $action ->
    [fired] fired
    [reopened] reopened
    [acknowledged] acknowledged
    [resolved] resolved
    [retracted] retracted
    [silenced] silenced
    [escalated] escalated
    [raised] raised
    [lowered] lowered
    [repeated] repeated
    [assigned] assigned
    [unassigned] unassigned
    [noted] noted
   *[other] { $action }
}
alert-actions = what happened
alert-done = alert { $id } { alert-action }
alert-heading = alert { $id }: { $message }
alert-notifications = who was notified
alert-status = { $status ->
    [firing] firing
    [acknowledged] acknowledged
    [resolved] resolved
    [recovered] recovered
    [expired] expired
    [manual] manual
    [rule_disabled] rule_disabled
    [retracted] retracted
   *[other] { $status }
}{ $late ->
    [yes] {" "}(late)
   *[no] {""}
}
alerts-more = { $count } more are older
alerts-none = no alerts match
column = { $name ->
    [age] age
    [alert] alert
    [alerts] alerts
    [attempts] attempts
    [by] by
    [channel] channel
    [contact] contact
    [day] day
    [device] device
    [error] error
    [fired] fired
    [from] from
    [historical] historical
    [id] id
    [name] name
    [note] note
    [on] on
    [paged] paged
    [person] person
    [rule] rule
    [scope] scope
    [severity] severity
    [status] status
    [tenant] tenant
    [to] to
    [unit] unit
    [until] until
    [value] value
    [version] version
    [what] what
    [when] when
    [address] address
    [after] after
    [audience] audience
    [contact] contact
    [hours] hours
    [language] language
    [on-duty] on duty
    [repeat] repeat
    [signed] signed
    [where] where
   *[other] { $name }
}
address-kept = address { $id } of { $name } is stored
address-removed = address { $id } is removed
addresses-none = no addresses
contacts-none = no contacts
days = { $days } d
dead-letter-refused = { $id } is not: { $reason }
dead-letters-none = no dead letters
dead-letters-others = the others are no dead letters
dead-letters-resent = { $moved ->
    [0] { $count } will be tried again
   *[other] { $count } will be tried again, { $moved } of them at another address
}
hours = { $hours } h
hours-and-minutes = { $hours } h { $minutes } min
minutes = { $minutes } min
months = { $months ->
    [one] { $months } month
   *[other] { $months } months
}
years = { $years ->
    [one] { $years } year
   *[other] { $years } years
}
notification-status = { $status ->
    [sent] sent { $at }
    [pending] pending (due { $at })
    [dead] dead (due { $at })
    [cancelled] cancelled (due { $at })
   *[other] { $status } (due { $at })
}
on-off = { $value ->
    [on] on
   *[off] off
}
or = or
replay-all = all
replay-broke-off = broke off; the figures above cover the devices until then
replay-devices = devices  { $affected } of { $all }
replay-heading = { $changed ->
    [yes] { $rule } ({ $severity }), with { $changes }
   *[no] { $rule } ({ $severity })
}{"\u000A"}{ $from } to { $to }
replay-nobody = by the routes of today nobody would have been notified
replay-notified = who would have been notified, by the routes and contacts of today, with the silences and quiet hours of the time, as if nobody had acknowledged; without repeats:
replay-longest = longest  { $device } from { $from }: { $duration }{ $has_end ->
    [no] , with no end
   *[yes] {""}
}, { $breaches } { $breaches ->
    [one] breach
   *[other] breaches
}
replay-range = --from is not before --to
replay-rule = the rule
replay-stored = stored   { $stored }: { $again } of them would be raised again, { $gone } would not; { $new } would be new
rule-deleted = rule { $id } is deleted
rule-draft-heading = rule: { $name }
rule-first-version = { $version }  { $at } by { $by }
rule-heading = rule { $id }: { $name }
route-test-nobody = nobody would be notified now: no contact of this audience has an address of this channel that is used, or the route does not match an alert of this person
route-test-off = the route is switched off and notifies nobody
route-test-person = a route to the wearer is tested with a person whose alert is imagined (user_id)
rule-impossible = the rule is impossible: { $reason }
rule-no-change = --set { $change }: COLUMN=VALUE is expected
rule-no-object = a rule is an object of columns
rule-of-tenant = the rule applies to tenant { $id } only
rule-other-scope = the rule is for a unit, a person or a device: --customer does not apply
rule-silence = { $seconds } s silent
rule-stored = rule { $id } is stored, version { $version }
rule-switched = rule { $id } is { $state ->
    [on] on
   *[off] off
} (version { $version })
rule-version = { $version }  { $at } by { $by }: { $changes }
rule-versions = versions
route-incomplete = a route needs --channel and --audience
route-kept = route { $id } is stored
route-removed = route { $id } is deleted
routes-none = no routes
rules-none = no rules match
seconds = { $seconds } s
shift-kept = shift { $id }: { $name }
shift-over = shift { $id } is over
shifts-none = no shifts
silence-backwards = it ends before it begins
silence-device-empty = device_sn is empty
silence-end-missing = either ends_at or for_seconds is needed
silence-kept = silence { $id }: { $what } until { $until }
silence-no-duration = --for is no time such as 2h
silence-not-kept = no silence was kept
silence-of-nothing = customer_id, org_id, device_sn or rule_id is needed: what is silent?
silence-of-unknown = nobody knows { $names }: is it spelled right?
silence-over = silence { $id } is over
silence-question = Keep the silence all the same?
silence-too-long = for_seconds has to be from 1 to 31536000, a year
silences-none = no silence is in force or to come
yes-or-no = { $answer ->
    [yes] yes
   *[no] no
}

### Refusals of the database: keys are the codes of vitals.refusal() in sql/functions

alert-acknowledged-by = alert { $id } is already acknowledged (by { $by } { $at })
alert-actor-missing = the name of the person is missing
alert-note-empty = the note is empty
alert-over = alert { $id } is already resolved ({ $resolution }, { $at })
contact-outside = there is no contact { $id } that you can assign alerts to
contact-absent = there is no contact { $id }
contact-of-another-tenant = contact { $id } has no unit, shift, user or route in tenant { $tenant }
alert-resolved-by = alert { $id } is already resolved ({ $resolution }, by { $by } { $at })
rule-bound-out-of-range = { $column } { $value } is outside what is ever stored of { $metric }, { $lowest } to { $highest }
rule-bounds-crossed = { $min_name } { $min } is not below { $max_name } { $max }
rule-bounds-missing = { $min_name } or { $max_name } is needed, nothing would breach it
rule-column-foreign = { $columns } means nothing to a rule of kind { $kind }
rule-column-missing = { $column } is missing
rule-column-needs = { $column } needs { $needed }
rule-column-out-of-range = { $column } has to be from { $lowest } to { $highest }
rule-combine-unknown = combine has to be all or any
rule-condition = condition { $place }: { $reason }
rule-condition-duration = duration_seconds has to be a whole number from 0 to 86400
rule-condition-fields = it knows metric, min, max, duration_seconds, but not { $others }
rule-condition-metric = metric is missing, or no text
rule-condition-no-number = { $field } is no number
rule-condition-no-object = it is no object
rule-conditions-no-array = conditions has to be an array of 1 to 10 objects {"{"}metric, min, max, duration_seconds{"}"}
rule-days-invalid = effective_days has to be days of the week, 1 Monday to 7 Sunday, each once; leave it out for every day
rule-device-invalid = device_sn has to be a serial of 1 to 64 bytes
rule-enabled-missing = enabled is neither true nor false
rule-event-type-case = event_type has to be upper case: { $upper }
rule-event-type-long = event_type has to be a short type: what follows the last dot, at most 64 bytes
rule-event-values-empty = event_values holds no value; leave it out for any
rule-event-values-overlap = a value both raises it and resolves it
rule-has-successor = rule { $id } replaces it for some: it has to be for everybody
rule-hours-empty = effective_from and effective_until are the same; leave out both for the whole day
rule-hours-incomplete = effective_from and effective_until need each other
rule-kind-fixed = rule "{ $rule }": its kind cannot change, make another rule
rule-kind-unknown = kind has to be threshold, composite, event or silence
rule-level = level { $place }: { $reason }
rule-level-fields = it knows severity, min, max, but not { $others }
rule-level-max-inside = max { $max } is below that of the level before ({ $before }): readings would reach it first
rule-level-min-inside = min { $min } is above that of the level before ({ $before }): readings would reach it first
rule-level-no-object = it is no object
rule-level-not-graver = { $severity } is not graver than { $before }, the level before
rule-level-same = its bounds are those of the level before, which would never be seen
rule-levels-no-array = levels has to be an array of 1 to 3 objects {"{"}severity, min, max{"}"}
rule-message-missing = it has no message
rule-message-placeholder = the message knows no { $placeholder }, but { $known }
rule-message-too-long = its message is longer than 1000 characters
rule-metric-unknown = { $column } "{ $metric }" is none that rules judge: { $known }
rule-name-missing = it has no name
rule-name-too-long = its name is longer than 200 characters
rule-never-recovers = no reading lies between the recovery bounds: it would never recover
rule-person-invalid = user_id has to be the number of a person
rule-recovery-above-max = recovery_max_value { $recovery } is above max_value { $max }: it would recover while it breaches
rule-recovery-below-min = recovery_min_value { $recovery } is below min_value { $min }: it would recover while it breaches
rule-recovery-values-alone = recovery_values need event_values: any value raises it, those that resolve it too
rule-recovery-values-empty = recovery_values holds no value; leave it out for none
rule-refused = rule "{ $rule }": { $reason }
rule-replaced-absent = there is no rule { $id } to replace
rule-replaced-differs = rule { $id } judges something else ({ $judged })
rule-replaced-of-tenant = rule { $id } is not for everybody, it cannot be replaced
rule-replaces-for-all = only a rule of one tenant (customer_id), unit (org_id), person (user_id) or device (device_sn) can replace one for everybody
rule-replaces-itself = it cannot replace itself
rule-scopes-several = a rule has one scope at most: customer_id, org_id, user_id or device_sn
rule-severity-unknown = severity has to be critical, major, minor or info
rule-successor-differs = rule { $id } replaces it for some and judges { $judged }
rule-tenant-invalid = customer_id has to be the number of a tenant
rule-time-zone-unknown = there is no time zone "{ $time_zone }"
rule-unit-invalid = org_id has to be the number of an organisation unit
rule-window-too-short = { $consecutive } readings in a row do not fit into window_seconds { $window_seconds }
stream-crowded = as many event streams are open as the service allows; try again later
page-shortcuts = Keyboard shortcuts
page-shortcuts-on = Shortcuts are on
page-shortcuts-close = Close
page-shortcuts-help = This list
page-shortcuts-next = Next alert
page-shortcuts-previous = Previous alert
page-shortcuts-acknowledge = Acknowledge the alert
page-shortcuts-sound = Sound on or off
page-shortcuts-pause = Pause the sound for five minutes
page-shortcuts-search = Search

### Pages: the shell of every page

page-account = Account
page-admin = Administration
page-alerts = Alerts
page-as-of = as of
page-error = This cannot be shown
page-every-tenant = All tenants
page-every-unit = all units
page-language = Language
# Each in its own language.
page-in-chinese = 中文
page-in-english = English
page-live = Live
page-log-out = Log out
page-login = Log in
page-login-name = Login
page-login-password = Password
page-login-oidc = Log in with the account of your organisation
page-login-wrong = Login or password is wrong, or the account is disabled.
page-login-limited = Too many attempts. Wait a few minutes before the next one.
page-login-kiosk = This link of a screen no longer works. Ask an administrator for a new one.
page-login-nothing-granted = You are known here, and nothing is open to you yet. Ask an administrator.
page-login-unavailable = Logging in is not possible at the moment. Try again in a minute.
page-pages = Pages
page-people = People
page-role-admin = administrator
page-role-responder = responder
page-role-viewer = viewer
page-scope = { $tenant } · { $unit }
page-skip = Skip to the content
page-sound = Sound on critical alerts
page-sound-blocked = The browser keeps the sound of alarms off until you click or press a key on this page.
page-sound-off = Sound off
page-sound-on = Sound on
page-sound-pause = Pause
page-sound-paused = Sound paused
page-sound-test = Test
page-stale-notice = The connection is lost: what you see may be out of date. The page goes on by itself when the service answers again.
page-switch = Switch
page-theme = Theme
page-theme-dark = Dark
page-theme-light = Light
page-theme-system = As the system
page-try-again = Try again
page-wall = Wall
page-work-as = Work as

### Pages: the wall

page-acknowledge = Acknowledge
page-against-yesterday = vs yesterday
page-alert-type = { $type ->
    [heart_rate] heart rate
    [blood_oxygen] oxygen saturation
    [temperature] body temperature
    [skin_temperature] skin temperature
    [pressure_high] systolic pressure
    [pressure_low] diastolic pressure
    [respiratory_rate] respiratory rate
    [heart_rate_variability] heart rate variability
    [blood_glucose] blood glucose
    [stress] stress
    [threshold] value out of bounds
    [composite] several conditions
    [event] event
    [silence] no samples
    [SOS_EVENT] SOS
    [ONE_KEY_ALARM] one-key alarm
    [FALLDOWN_EVENT] fall
    [WEAR_STATUS_CHANGED] watch taken off
    [HEARTRATE_HIGH_ALERT] watch: heart rate high
    [HEARTRATE_LOW_ALERT] watch: heart rate low
    [SPO2_LOW_ALERT] watch: oxygen saturation low
    [STRESS_HIGH_ALERT] watch: stress high
    [TEMPERATURE_HIGH_ALERT] watch: temperature high
    [TEMPERATURE_LOW_ALERT] watch: temperature low
    [PRESSURE_HIGH_ALERT] watch: blood pressure high
    [PRESSURE_LOW_ALERT] watch: blood pressure low
   *[other] { $type }
}
page-alerts-by-hour = Alerts by hour, last 24 hours
page-alerts-by-type = Alerts by type, last 24 hours
page-alerts-today = Alerts today
page-battery = battery { $percent } %
page-battery-and-wear = battery · wear
page-battery-below = below { $percent } %
page-battery-between = { $low }–{ $high } %
page-battery-from = ≥ { $percent } %
page-breaches = { $count } readings
page-cluster = { $count ->
    [one] 1 person
   *[other] { $count } people
}, { $online } online
page-counters = Counters
page-critical-count = { $count } critical
page-gravest-first = gravest first
page-hour = Hour
page-in-need = Need a hand
page-last-at = last at { $time }
page-limit = limit { $value }
page-map-scale = scale { $distance }
page-map-summary = { $count } positions, { $alerts } with an open alert
page-more = and { $count } more
page-newest-values = Newest values
page-no-alerts-today = No alerts in the last 24 hours.
page-no-open-alerts = No open alerts.
page-no-people = Nobody wears a watch yet.
page-no-positions = No position in the last 24 hours.
page-no-unit = without a unit
page-no-values = No values yet.
page-nobody-in-need = Every watch is on, charged and heard from.
page-nobody-yet = nobody yet
page-not-worn = not worn
page-not-worn-count = { $count } not worn
page-online-by-unit = People online by unit
page-online-of-people = online / people
page-open-alerts = Open alerts
page-peak = peak { $value }
page-positions = { $count ->
    [one] newest position, 1 person
   *[other] newest position, { $count } people
}
page-positions-outside = { $count ->
    [one] 1 person is outside of the drawing.
   *[other] { $count } people are outside of the drawing.
}
page-positions-private = This screen shows no positions.
page-samples-today = Samples today
page-silent = silent
page-silent-long = silent for a week or more
page-unclaimed-count = { $count } unclaimed
page-was = was { $severity }
page-watches = Watches
page-watches-online = Watches online
page-wear-unknown = not known
page-where-people-are = Where people are
page-worn = worn

### Pages: alerts, people and devices

page-acknowledged-by = acknowledged by { $by }, { $at }
page-alert = Alert { $id }
page-assign-to = Assign to
page-assigned-to = assigned to { $name }
page-at-least = { $severity } or graver
page-battery-low = low
page-channel = { $channel ->
    [wechat] WeChat
    [wecom] WeCom
    [wecom_robot] WeCom group
    [dingtalk_robot] DingTalk group
    [feishu_robot] Feishu group
    [sms] SMS
    [email] e-mail
    [webhook] webhook
   *[other] { $channel }
}
page-charging = { $state ->
    [CHARGING] charging
    [NOT_CHARGING] not charging
   *[other] not known
}
page-chart-column = { $name ->
    [time] time
    [lowest] lowest
    [mean] mean
   *[highest] highest
}
page-chart-empty = Nothing was measured in this time.
page-chart-legend = { $what ->
    [mean] mean
    [range] lowest to highest
    [limit] limit
    [alert] alert
    [sleep] asleep
   *[gap] a gap: not measured
}
page-chart-summary = { $title }, { $from } to { $to }: lowest { $lowest }, highest { $highest } { $unit }; { $alerts ->
    [one] { $alerts } alert
   *[other] { $alerts } alerts
}. The values are in the table that follows.
page-choose = Choose { $what }
page-clock-off = { $direction ->
    [ahead] { $amount } ahead
   *[behind] { $amount } behind
}
page-column = { $name ->
    [active-hours] active hours
    [alerts] alerts
    [asleep] asleep
    [bar] deep, light, other
    [battery] battery
    [channel] channel
    [contact] contact
    [day] day
    [deep] deep, hours
    [device] device
    [distance] distance
    [duration] duration
    [event] event
    [hours] hours
    [kind] kind
    [light] light, hours
    [night] night
    [person] person
    [reason] reason
    [room] room
    [state] state
    [status] status
    [steps] steps
    [strength-minutes] minutes of medium or high intensity
    [unit] unit
    [value] value
    [when] when
    [action] action
    [applied] last enforced
    [by] by
    [bytes] bytes
    [choose] choose
    [compress] compressed after
    [created] made
    [detail] what is wrong
    [held] held back
    [item] as sent
    [keep] kept for
    [lag] lag
    [latency] probe
    [name] name
    [note] note
    [part] part
    [refresh] refreshed every
    [relation] relation
    [rows] rows
    [rule] rule
    [scope] scope
    [severity] severity
    [tenant] tenant
    [until] until
    [used] last used
    [waiting] waiting
    [address] address
    [audience] audience
    [logged-in] last login
    [refresh-lag] refresh stays behind by
    [changed] changed
    [tested] last test message
   *[other] { $name }
}
page-contact-deleted = contact { $id } (deleted)
page-date = { $day } { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
} { $year }
page-date-short = { $day } { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
}
page-day-range = today { $min }–{ $max }, mean { $mean }
page-devices = Devices
page-fact = { $name ->
    [battery] battery
    [breaches] readings or events that breached
    [charging] charger
    [clock] clock
    [device] device
    [ended] ended
    [fired] fired
    [firmware] firmware
    [first-seen] first seen
    [info] reported at
    [last] last value
    [model] model
    [network] network
    [peak] farthest value
    [person] person
    [position] position
    [received] raised by the service
    [reported] state it reports
    [rule] rule
    [started] first breach
    [state] state
    [voltage] voltage
    [wear] worn
   *[other] { $name }
}
page-filter = { $name ->
    [any] any
    [from] from
    [kind] kind
    [mine] assigned to me
    [search] search
    [severity] severity
    [show] Show
    [state] state
    [status] status
    [to] to
    [unit] unit
   *[other] { $name }
}
page-historical = All its readings came late: nobody was notified.
page-kind = { $kind ->
    [threshold] value out of bounds
    [composite] several conditions
    [event] event
    [silence] no samples
   *[other] { $kind }
}
page-limit-form = { $what ->
    [above] above
    [add] Add a limit
    [below] below
    [duration] for so many seconds
    [change] Change the limit of this person
    [metric] vital sign
    [name] name
    [own] Set a limit of this person's own
    [remove] Remove: what holds for others holds again
    [set] Set
   *[severity] severity
}
page-limit-done = { $what ->
    [removed] The limit of this person is removed: { $name }
    [kept] The limit of this person is removed: { $name }. It has raised alerts, so the rule is kept, switched off
   *[set] The limit of this person is set: { $name }
}
page-limit-not-replaced = Rule { $id } cannot be replaced for one person: add a limit instead
page-metric = { $metric ->
    [heart_rate] heart rate
    [blood_oxygen] oxygen saturation
    [pressure] blood pressure
    [pressure_high] systolic pressure
    [pressure_low] diastolic pressure
    [temperature] body temperature
    [skin_temperature] skin temperature
    [respiratory_rate] respiratory rate
    [heart_rate_variability] heart rate variability
    [blood_glucose] blood glucose
    [stress] stress
    [step] steps
    [distance] distance
    [calorie] energy
   *[other] { $name }
}
page-next = Next page
page-no-device = There is no such device
page-no-person = There is no such person
page-no-rules = No rule holds.
page-no-track = No positions in this time.
page-nobody = nobody
page-nobody-notified = Nobody was notified.
page-nobody-wears-it = nobody wears it
page-none-chosen = No alert was chosen: tick one or more first
page-note = Note
page-nothing-measured = Nothing was measured lately.
page-nothing-recorded = Nothing is recorded in this time.
page-nothing-yet = Nothing yet.
page-notification-kind = { $kind ->
    [fired] fired
    [raised] more severe
    [escalated] not acknowledged
    [repeated] still not acknowledged
    [acknowledged] acknowledged
    [assigned] assigned
    [resolved] resolved
   *[other] { $kind }
}
page-notification-status = { $status ->
    [pending] to be sent
    [sent] sent
    [dead] failed
    [cancelled] not needed any more
   *[other] { $status }
}
page-now = Now
page-older = Older alerts
page-online = { $online ->
    [yes] online
   *[no] offline
}
page-open-count = { $count ->
    [one] { $count } open alert
   *[other] { $count } open alerts
}
page-part = { $name ->
    [alerts] Alerts in this time
    [device] Device
    [devices] Devices worn now
    [events] Events
    [exercise] Exercise
    [limits] Limits
    [nights] Nights
    [track] Where it was
    [workouts] Workouts
    [worn] Worn by whom and when
   *[other] { $name }
}
page-period = { $which ->
    [day] Day
    [week] Week
    [month] Month
    [earlier] earlier
    [later] later
    [today] today
   *[periods] time
}
page-read-state = { $state ->
    [online] online
    [offline] offline
   *[alerting] with an open alert
}
page-resolved = resolved: { $reason }, { $at }
page-resolved-by = resolved by { $by }, { $at }
page-rule-scope = { $scope ->
    [device] this device
    [person] this person
    [unit] the unit
    [tenant] the tenant
   *[everybody] everybody
}
page-silence-for = Silence for
page-step = { $step ->
    [acknowledge] Acknowledge
    [note] Add the note
    [assign] Assign
    [silence] Silence
   *[resolve] Resolve
}
page-steps-done = { $count ->
    [one] { $count } alert { alert-action }
   *[other] { $count } alerts { alert-action }
}
page-track-summary = { $positions ->
    [one] { $positions } position
   *[other] { $positions } positions
}, { $from } to { $to }
page-unit = { $metric ->
    [heart_rate] /min
    [respiratory_rate] /min
    [blood_oxygen] %
    [stress] of 100
    [step] steps
   *[other] { $symbol }
}
page-wears-nothing = This person wears no device now.
page-weekday = { $weekday ->
    [1] Mon
    [2] Tue
    [3] Wed
    [4] Thu
    [5] Fri
    [6] Sat
   *[7] Sun
} { $day }
page-what-to-do = What to do
page-with-chosen = With the chosen alerts

### Pages: administration

page-account-switched = { $login }: { on-off }
page-day-of-week = { $day ->
    [1] Mon
    [2] Tue
    [3] Wed
    [4] Thu
    [5] Fri
    [6] Sat
   *[7] Sun
}
page-link-incomplete = A link needs a name and a tenant
page-link-name-taken = There is a link { $name } already
page-link-revoked = Link { $name } is revoked
page-on-duty = { $on_duty ->
    [yes] on duty
   *[no] off duty
}
page-role = { $role ->
    [viewer] viewer
    [responder] responder
   *[admin] administrator
}
page-audience = { $audience ->
    [wearer] the wearer
    [managers] the managers of the unit
    [on_duty] whoever is on duty
   *[contact] one contact
}
page-combine = { $combine ->
    [all] all of the conditions
   *[any] any of the conditions
}
page-duration = { $unit ->
    [seconds] { $count ->
        [one] { $count } second
       *[other] { $count } seconds
    }
    [minutes] { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
    [hours] { $count ->
        [one] { $count } hour
       *[other] { $count } hours
    }
   *[days] { $count ->
        [one] { $count } day
       *[other] { $count } days
    }
}
page-time-unit = { $unit ->
    [seconds] seconds
    [minutes] minutes
    [hours] hours
    [days] days
   *[unit] unit of time
}
page-field = { $name ->
    [after_seconds] Only if nobody has acknowledged the alert after; empty or 0: at once
    [audience] Who is notified
    [channel] Channel
    [combine] Which conditions have to hold
    [consecutive] Readings in a row that have to breach; empty: 1
    [contact_id] Contact, for the audience one contact only
    [cooldown_seconds] A breach this soon after the end reopens the alert; empty: 5 minutes
    [customer_id] Number of the tenant whose alerts match; empty: every one
    [effective_days] Days on which breaches count; none: every day
    [effective_from] Breaches count from; empty: the whole day
    [effective_until] Breaches count until
    [enabled] in use
    [event_type] Type of the event, such as SOS_EVENT
    [event_values] Values that raise the alert, one in a line; empty: any
    [expire_seconds] Ends by itself when nothing breached for; empty: never
    [late_after_seconds] A breach that is received this much later notifies nobody; empty: 15 minutes
    [max_value] Alarm above
    [merge_seconds] Further messages wait and go as one for; empty: as set for the channel
    [message] Text of the notification; empty: name, rule and value
    [metric] Vital sign
    [min_severity] From this severity on
    [min_value] Alarm below
    [name] Name
    [on_acknowledged] also of who has acknowledged the alert
    [on_resolved] also of its end
    [org_id] Unit whose alerts match, with its sub-units; empty: every one
    [quiet_from] Quiet hours from; empty: none. Critical alerts do not wait.
    [quiet_until] Quiet hours until
    [recovery_count] Readings in a row that end the alert; empty: 3
    [recovery_max_value] Ends up to; empty: the limit above
    [recovery_min_value] Ends from; empty: the limit below
    [recovery_values] Values that end the alert, one in a line; empty: none
    [repeat_seconds] Repeated every; empty: not repeated
    [repeat_times] Repeats at most; empty: 100
    [replaces_rule_id] Takes the place of this rule for everybody
    [rule_id] Rule whose alerts match
    [scope] For whom
    [scope_id] Number of the tenant, the unit or the person, or serial of the device, if chosen
    [severity] Severity
    [silent_seconds] Time without a sample
    [time_zone] Time zone of the hours, such as Asia/Shanghai; empty: that of the service
    [window_seconds] They have to lie within; empty: 10 minutes
   *[other] { $name }
}
page-route-after = if nobody has acknowledged the alert after { $time }
page-route-at-once = at once
page-route-events = { $what ->
    [both] also of who has acknowledged it, and of its end
    [acknowledged] also of who has acknowledged it
   *[resolved] also of its end
}
page-route-merges = further messages within { $time } go as one
page-route-quiet = waits from { $from } to { $until }{ $zone }, unless it is critical
page-route-repeats = then every { $time }, at most { $times ->
    [one] { $times } time
   *[other] { $times } times
}
page-route-switched = Route { $id }: { on-off }
page-rule-condition = Condition { $place }
page-rule-condition-incomplete = Condition { $place } needs a vital sign
page-rule-level = Graver level { $place }
page-rule-level-incomplete = Graver level { $place } needs a severity
page-rule-scope-unclear = A tenant, a unit, a person or a device needs its number or serial, and any other choice has none
page-admin-section = { $name ->
    [health] Health of the service
    [rules] Rules
    [silences] Silences
    [keys] Keys
    [rejected] Rejected uploads
    [accounts] Accounts
    [contacts] Contacts
    [shifts] Shifts
   *[policies] Retention
}
page-admin-words = { $what ->
    [disable] Switch off
    [enable] Switch on
    [end] End
    [for-ever] for ever
    [key-made] The new key
    [key-once] Copy it now: it is not shown again.
    [make] Make the key
    [name] Name
    [new-key] A new key
    [new-rule] A new rule
    [rule-of-everybody] This rule is for everybody: administrators of every tenant change it. The form makes one that takes its place in your tenant.
    [more] More: readings in a row, recovery, hours, text
    [any] any
    [change] Change
    [change-route] Change the route
    [test-person] Number of a person with an alert
    [test-result] What became of the test messages
    [test-more] The route leads to more addresses, which were sent nothing.
    [parts] Parts
    [person] Person to whom it belongs
    [plan] What the next enforcement does
    [records-last-minute] records stored in the last minute:
    [remove] Delete
    [replay] Read the chosen ones once more
    [revoke] Revoke
    [save] Save
    [scopes] What it may do
    [system-alerts] What operators were notified of, last hour
    [tenant] Number of the tenant; empty: every one
    [try-out] Try out
    [try-out-days] Try out over
    [try-out-result] Result of the try-out
    [uptime] running for
    [valid-days] Valid for so many days; empty: until it is revoked
    [accounts] Accounts
    [address] Address
    [addresses] Addresses
    [channel] Channel
    [contact] Contact
    [days-of-week] Days on which the hours begin; none: every day
    [from-time] From
    [link-made] The link of the screen
    [links] Screens on walls
    [new-address] A new address
    [new-link] A new link
    [new-route] A new route
    [new-shift] A new shift
    [private] initials in place of names, no positions
    [routes] Routes
    [secret] Secret with which messages are signed; empty: none
    [tenant-number] Number of the tenant
    [unit] Unit
    [unit-number] Number of the unit; empty: the whole tenant
    [until-time] Until
    [new-account] A new account
    [also-elsewhere] also has a role elsewhere: only whoever administers all of that can disable it
    [give-role] Give a role
    [take-role] Take away
    [end-sessions] Log out everywhere
    [login] Login
    [account-name] Name of the person; empty: the login
    [password] Password; empty: one is made up and shown once
    [of-browser] that of the browser
    [role] Role
    [make-account] Make the account
    [make-link] Make the link
    [meaning] What each value means
    [change-policy] Change a value
    [policy-value] Value
    [policy-to] New value, such as 90 days or 1 year; of bytes a number; empty: none
    [preview] Show what it would do
    [preview-title] Not changed yet: what the change would do
    [no-value] none
    [drops-more] The next enforcement removes more data than without the change. What it removes cannot be brought back.
    [plan-after] Next enforcement after the change
    [plan-before] Next enforcement without the change
    [confirm] Change it
    [test] Send a test message
    [delivered] delivered
    [not-delivered] not delivered
   *[other] { $what }
}
page-condition = { $condition ->
    [up] up
    [late] late
   *[down] down
}
password-short = the password has { $chars } characters: it needs { $least } (login.password_min_chars)
password-long = the password is longer than { $most } bytes
password-is-login = the password is the login name
page-account-made = The account { $login } is made
page-account-password = Password of { $login }
page-account-incomplete = An account needs a login, and a role
page-account-taken = There is an account with the login { $login } or with this name already
page-account-own = Nobody changes their own account here
page-account-beyond = This account also has a role elsewhere: only whoever administers all of that can change it
page-other-tenant = That is beyond your tenant
page-role-beyond = You can give roles only where you are an administrator
page-unit-without-tenant = A unit needs its tenant
page-role-given = { $login } has the role
page-role-taken = { $login } no longer has the role
page-sessions-ended = { $login } is logged out: { $sessions ->
    [one] { $sessions } session has ended
   *[other] { $sessions } sessions have ended
}
page-test-delivered = The test message is delivered
page-test-failed = The test message is not delivered: { $reason }
page-test-too-soon = This address was tested a moment ago: wait ten seconds
policy-absent = there is no such policy or value
policy-changed = The policy of { $relation } is changed
policy-changed-meanwhile = The policy of { $relation } was changed meanwhile: nothing is changed
page-policy-meaning = { $value ->
    [keep_for] Age at which rows may be removed. None: they are kept for ever. Uploads that are older than that of health_data are rejected.
    [compress_after] Age at which rows are compressed, which only the Community edition of TimescaleDB does. None: never.
    [refresh_every] How often a summary is brought up to date.
    [refresh_lag] The newest part that a refresh leaves out, and that is computed when it is read.
   *[keep_bytes] Bytes of text that are kept, of rejected_upload only; the oldest are removed first. None: no limit.
}
page-policy-of = { $relation ->
    [health_data] samples as watches sent them
    [health_15m] summaries by quarter hour
    [health_hourly] summaries by hour
    [health_daily] summaries by day
    [health_weekly] summaries by week
    [health_monthly] summaries by month
    [device_info] what devices report of themselves
    [device_event] events, such as SOS and falls
    [sleep_segment] sleep
    [exercise_day] exercise by day
    [workout] workouts
    [health_document] documents that came with samples
    [alert] resolved alerts
    [notification] notifications that were sent or given up
    [rejected_upload] items that could not be stored
    [device] devices that were not heard of
    [unknown_name] unknown names in uploads
    [watch_log] logs of watches
    [access_log] who looked at whose data
    [vitals-ingest_batch] accounting of committed uploads
    [vitals-account_session] sessions of people
   *[vitals-alert_change] changes of alerts that dashboards were told of
}
page-key-admin-of-tenant = The scope admin applies to every tenant: the key of one tenant cannot have it
page-key-incomplete = A key needs a name and at least one scope
page-key-name-taken = There is a key { $name } already
page-key-person-missing = The scope respond needs the person to whom the key belongs
page-key-revoked = Key { $name } is revoked
page-rejected-count = { $count ->
    [one] { $count } item could not be stored
   *[other] { $count } items could not be stored; the newest { $shown } are shown
}
page-replayed = { $stored } stored, { $duplicates ->
    [one] { $duplicates } was a duplicate
   *[other] { $duplicates } were duplicates
}, { $refused } refused once more
page-rule-for = { $scope ->
    [device] device
    [person] person
    [unit] unit
    [tenant] tenant
   *[everybody] everybody
}
page-scope-of-key = { $scope ->
    [upload] upload
    [read] read
    [respond] act on alerts
   *[admin] administer
}
page-system-alert = { $state ->
    [lasts] lasts
   *[over] over
}
page-try-out = { $alerts ->
    [one] { $alerts } alert
   *[other] { $alerts } alerts
} of { $affected } of { $devices ->
    [one] { $devices } device
   *[other] { $devices } devices
} in { $days ->
    [one] { $days } day
   *[other] { $days } days
}
page-try-out-more = Only the first { $devices } devices were evaluated; vitals alerts replay-rule evaluates all of them.
page-try-out-stored = The stored rule raised { $alerts } for the same devices in that time.

### The demo

demo-account = Demo
demo-person = Person { $number }
demo-tenant = Example clinic { $number }
demo-unit = Ward { $number }

### Reading health data

device-absent = there is no device of this serial
exports-too-many = as many exports as are allowed are running: try again in a moment
form-not-acceptable = there is no such form of the answer: Accept application/json, application/x-ndjson or text/csv; not every route has all of them
metric-unknown = there is no metric "{ $name }": { $known }
parameter-no-format = json, ndjson or csv is expected
parameter-no-moment = a time such as 2026-01-31T08:00:00Z or a date such as 2026-01-31 is expected
parameter-no-point-limit = a number from 1 to { $most } is expected
parameter-no-zone = the name of a time zone such as Asia/Shanghai is expected
person-absent = there is no person of this number
span-empty = from must be before to
span-too-long = from and to are more than { $most } days apart: ask for a shorter time, or for a coarser grain
zone-only-days = weeks and months are cut in the zone of the rollups only: zone goes with days and finer grains
