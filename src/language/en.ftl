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

### The HTTP API and the command line

alert-absent = there is no alert { $id }

access-no-key = a key is needed that is in force: Authorization: Bearer <key>
access-scope = the key has not the scope { $scope }
access-every-tenant = this concerns every tenant, and the key is of one
access-other-tenant = the key is of another tenant
access-other-person = the key may not act in the name of another person
access-other-device = the key is of another device
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
rule-has-alerts = rule { $id }, or one that replaces it, has alerts: switch it off ("enabled": false)
rule-id-differs = rule_id is another than that of the path
rule-replaced-already = the tenant has a rule that replaces this one already
service-failed = a fault of the service; its log says more
severity-twice = either severity or min_severity, not both
silence-absent = there is no silence { $id }
upload-no-valid-record = no valid record
writer-absent = there is no writer { $name }: { $names }

### The command line

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
   *[other] { $name }
}
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
notification-status = { $status ->
    [sent] sent { $at }
    [pending] pending (due { $at })
    [dead] dead (due { $at })
    [cancelled] cancelled (due { $at })
   *[other] { $status } (due { $at })
}
or = or
replay-all = all
replay-broke-off = broke off; the figures above cover the devices until then
replay-devices = devices  { $affected } of { $all }
replay-heading = { $changed ->
    [yes] { $rule } ({ $severity }), with { $changes }
   *[no] { $rule } ({ $severity })
}{"\u000A"}{ $from } to { $to }
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
rule-impossible = the rule is impossible: { $reason }
rule-no-change = --set { $change }: COLUMN=VALUE is expected
rule-no-object = a rule is an object of columns
rule-of-tenant = the rule applies to tenant { $id } only
rule-silence = { $seconds } s silent
rule-switched = rule { $id } is { $state ->
    [on] on
   *[off] off
} (version { $version })
rule-version = { $version }  { $at } by { $by }: { $changes }
rule-versions = versions
rules-none = no rules match
seconds = { $seconds } s
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
rule-enabled-missing = enabled is neither true nor false
rule-event-type-case = event_type has to be upper case: { $upper }
rule-event-type-long = event_type has to be a short type: what follows the last dot, at most 64 bytes
rule-event-values-empty = event_values holds no value; leave it out for any
rule-event-values-overlap = a value both raises it and resolves it
rule-has-successor = rule { $id } replaces it for one tenant: it has to be for everybody
rule-hours-empty = effective_from and effective_until are the same; leave out both for the whole day
rule-hours-incomplete = effective_from and effective_until need each other
rule-kind-fixed = rule "{ $rule }": its kind cannot change, make another rule
rule-kind-unknown = kind has to be threshold, composite, event or silence
rule-message-missing = it has no message
rule-message-placeholder = the message knows no { $placeholder }, but { $known }
rule-message-too-long = its message is longer than 1000 characters
rule-metric-unknown = { $column } "{ $metric }" is none that rules judge: { $known }
rule-name-missing = it has no name
rule-name-too-long = its name is longer than 200 characters
rule-never-recovers = no reading lies between the recovery bounds: it would never recover
rule-recovery-above-max = recovery_max_value { $recovery } is above max_value { $max }: it would recover while it breaches
rule-recovery-below-min = recovery_min_value { $recovery } is below min_value { $min }: it would recover while it breaches
rule-recovery-values-alone = recovery_values need event_values: any value raises it, those that resolve it too
rule-recovery-values-empty = recovery_values holds no value; leave it out for none
rule-refused = rule "{ $rule }": { $reason }
rule-replaced-absent = there is no rule { $id } to replace
rule-replaced-differs = rule { $id } judges something else ({ $judged })
rule-replaced-of-tenant = rule { $id } is not for everybody, it cannot be replaced
rule-replaces-for-all = only a rule of one tenant (customer_id) can replace one for everybody
rule-replaces-itself = it cannot replace itself
rule-severity-unknown = severity has to be critical, major, minor or info
rule-successor-differs = rule { $id } replaces it for one tenant and judges { $judged }
rule-tenant-invalid = customer_id has to be the number of a tenant
rule-time-zone-unknown = there is no time zone "{ $time_zone }"
rule-window-too-short = { $consecutive } readings in a row do not fit into window_seconds { $window_seconds }
