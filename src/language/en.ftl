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
    [escalated] { notice-tag } not acknowledged: { $message }
    [resolved] { notice-tag } ({ resolution }) { $message }
   *[fired] { notice-tag } { $message }
}
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
