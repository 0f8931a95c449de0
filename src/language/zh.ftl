# 面向使用者的中文文本。en.ftl 中有相同的消息和相同的参数(tests/it/language.rs)。
# { $参数 } 中的内容来自设备、人员和数据库,由显示方负责转义。

### 告警通用

severity = { $severity ->
    [critical] 危急
    [major] 严重
    [minor] 一般
   *[info] 提示
}
# 告警结束的原因:resolution 列中的词,或其中的其他文字($words)。
resolution = { $resolution ->
    [recovered] 已恢复正常
    [over] 已结束
    [expired] 超时自动结束
    [manual] 人工解除
    [rule_disabled] 规则已停用
    [retracted] 补传数据表明不成立,已撤销
   *[other] { $words }
}

### 通知

notice-tag = { $kind ->
    [resolved] 【已恢复】
   *[fired] 【{ severity }】
}
notice-title = { notice-tag }{ $rule }
notice-line = { $kind ->
    [escalated] { notice-tag }尚未确认:{ $message }
    [resolved] { notice-tag }({ resolution }){ $message }
   *[fired] { notice-tag }{ $message }
}
alerts-title = { $critical ->
    [0] { $count } 条告警
   *[other] { $count } 条告警,其中危急 { $critical } 条
}

### 发给运维人员的通知

system-title = { notice-tag }vitals:{ system-condition }
system-line = { $kind ->
    [resolved] { notice-tag }vitals 实例 { $instance }:{ $message },自 { $since } 至 { $until }
   *[fired] { notice-tag }vitals 实例 { $instance }:{ $message },自 { $since } 起
}
system-alerts-title = { $critical ->
    [0] vitals 有 { $count } 项状态变化
   *[other] vitals 有 { $count } 项状态变化,其中危急 { $critical } 项
}
system-condition = { $condition ->
    [high_error_rate] 错误率过高
    [queue_near_overflow] 队列即将写满
    [memory] 内存即将耗尽
    [processing_lag] 处理延迟
    [writer_stopped] 写入器停止提交
    [postgres_away] PostgreSQL 无响应
    [redis_away] Redis 无响应
    [rollups_late] 汇总未及时刷新
    [jobs] TimescaleDB 作业异常
   *[other] { $condition }
}
system-high-error-rate = 最近一分钟有 { $percent }% 的记录被拒绝或处理失败
system-queue-near-overflow = 写入器 { $writer } 的队列已占用 { $percent }%
system-memory = 进程已占用内存 { $used } MiB(上限 { $limit } MiB)
system-processing-lag = 已提交的数据等待处理 { $seconds } 秒
system-writer-stopped = 写入器 { $writer } 有数据等待写入,但已有 { $seconds } 秒未提交
system-postgres-away = PostgreSQL 无响应或无法提交
system-redis-away = Redis 无响应
system-rollups-late = 汇总刷新已逾期 { $seconds } 秒,迟到的数据尚未计入汇总:可能是单次刷新耗时过长,也可能是刷新一直失败,原因见各实例日志("rollups are not refreshed")。可运行 `vitals refresh` 手动刷新
system-jobs = TimescaleDB 作业:{ $findings }

### HTTP API 与命令行

alert-absent = 告警 { $id } 不存在
