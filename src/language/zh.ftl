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
    [raised] { notice-tag }级别升高:{ $message }
    [escalated] { notice-tag }尚未确认:{ $message }
    [repeated] { notice-tag }仍未确认:{ $message }
    [acknowledged] { notice-tag }已由 { $by } 确认:{ $message }
    [assigned] { notice-tag }由 { $by } 指派给您:{ $message }
    [resolved] { notice-tag }({ resolution }){ $message }
   *[fired] { notice-tag }{ $message }
}
message-number = 消息编号 { $number }
alerts-title = { $critical ->
    [0] { $count } 条告警
   *[other] { $count } 条告警,其中危急 { $critical } 条
}

# 告警下方的一行。
details-late = 发生 { $minutes } 分钟后才通知
details-room = 房间 { $room }
details-value = { $which ->
    [both] { $value }(正常 { $min }~{ $max })
    [min] { $value }(低于 { $min })
    [max] { $value }(高于 { $max })
   *[none] { $value }
}
details-since = 自 { $since } 起
details-readings = 最近数值:{ $readings }
reading = { $metric ->
    [heart_rate] 心率 { $value } 次/分
    [blood_oxygen] 血氧饱和度 { $value }%
    [pressure] 血压 { $value } mmHg
    [pressure_high] 收缩压 { $value } mmHg
    [pressure_low] 舒张压 { $value } mmHg
    [temperature] 体温 { $value } ℃
    [skin_temperature] 皮肤温度 { $value } ℃
    [respiratory_rate] 呼吸 { $value } 次/分
    [heart_rate_variability] 心率变异性 { $value } 毫秒
    [blood_glucose] 血糖 { $value } mmol/L
    [stress] 压力 { $value }
   *[other] { $metric } { $value }
}

### 测试消息

test-title = vitals 测试消息
test-line = 这是 vitals 于 { $at } 发送的测试消息:告警消息可以送达此地址
test-failed = { $channel } { $address }:{ $reason }
test-nobody = 没有可发送的地址:没有此名称的联系人,或其没有启用的地址
test-sent = { $channel } { $address }:已发送

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
    [buffer_away] 缓冲区拒收上传
    [buffer_near_full] 缓冲区即将写满
    [buffer_late] 缓冲的上传尚未入库
    [urgent_event] 紧急事件等待处理
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
system-buffer-away = 缓冲区不接收上传:{ $reason }
system-buffer-near-full = 缓冲的上传已占用 buffer_max_bytes 的 { $percent }%
system-buffer-late = 缓冲区中有上传已等待 { $seconds } 秒
system-urgent-event = 设备 { $device } 的 { $event } 正在缓冲区中等待:规则尚未评估,其他人尚未收到通知
system-urgent-event-stored = 设备 { $device } 的 { $event } 在收到 { $seconds } 秒后入库,现在开始评估规则

### HTTP API 与命令行

alert-absent = 告警 { $id } 不存在

access-no-key = 需要有效的密钥:Authorization: Bearer <key>
access-scope = 密钥没有 { $scope } 权限
access-role = 您当前的角色无权访问
access-every-tenant = 此操作涉及所有租户,而密钥仅属于一个租户
access-other-tenant = 密钥属于其他租户
access-other-person = 该密钥不得以他人名义操作
access-other-device = 密钥属于其他设备
access-other-site = 此请求由其他网站的页面发出:只有本服务的页面可以进行更改
access-not-logged-in = 尚未登录
access-too-many = 请求过于频繁
access-unavailable = 数据库无响应,无法核对密钥
actor-empty = actor 为空:请注明操作人
actor-too-long = actor 超过 { $most } 个字符
body-crowded = 正在读取的大请求体过多
body-encoding = Content-Encoding 只能是 gzip、zstd、identity 之一
body-not-json = Content-Type 必须是 application/json
body-refused = 请求体有误:{ $reason }
body-slow = 请求体未在规定时间内送达
body-too-large = { $measured ->
    [unpacked] 请求体解压后超过 { $bytes } 字节
    [when-read] 请求体解析后超过 { $bytes } 字节
   *[sent] 请求体超过 { $bytes } 字节
}
body-unreadable = 无法读取请求体:{ $reason }
config-failed = 无法读取配置
config-unavailable = 暂时无法读取配置
database-unavailable = 数据库未在规定时间内响应
role-denied = 服务的数据库角色无权执行此操作:角色 vitals_administration 有此权限
method-not-allowed = 此路径不支持该请求方法
note-too-long = note 超过 { $most } 个字符
number-absent = 该编号不存在
parameter-no-cursor = 应为上一页返回的 cursor
parameter-no-limit = 应为 1 到 500 之间的数
parameter-no-time = 应为时间,例如 2026-01-31T08:00:00Z
parameter-refused = { $name } 有误:{ $reason }
parameter-repeated = 参数 { $name } 重复
parameter-unknown = 没有名为“{ $name }”的参数
path-absent = 路径不存在
request-refused = 请求被拒绝
rule-absent = 规则 { $id } 不存在
rule-changed-meanwhile = 规则 { $id } 已被 { $by } 于 { $at } 更改,当前版本为 { $version }
rule-has-alerts = 规则 { $id } 已产生告警,不能删除:请将其停用("enabled": false)
rule-is-replaced = 规则 { $id } 在某租户、组织单位、人员或设备上有替代规则,不能删除:请先删除替代规则,或将其停用("enabled": false)
address-absent = 没有地址 { $id }
address-empty = 地址须为 1 至 2000 字节
address-form = 这不是该渠道的地址:钉钉或飞书机器人的地址是其令牌,即 URL 中"access_token="或"/hook/"之后的部分;电话号码的格式如 +8613800138000
address-of-unknown = 没有这个联系人
address-taken = 该联系人已有此地址
route-absent = 没有通知路由 { $id }
route-channel-unknown = 没有渠道"{ $channel }":{ $names }
route-contact = 通知对象为指定联系人时需要联系人(contact_id),其他对象不填
route-of-unknown = 没有这个联系人或规则
route-quiet-hours = 免打扰时段的开始与结束必须都有且不同
route-seconds = 升级时间为 0 秒至 7 天(after_seconds,至多 604800),重复间隔为 30 秒至 24 小时(repeat_seconds,至多 86400),重复 1 至 10000 次(repeat_times),合并至多 1 小时(merge_seconds,至多 3600)
rule-id-differs = rule_id 与路径中的编号不一致
rule-replaced-already = 同一租户、单位、人员或设备已有替代此规则的规则
service-failed = 服务内部错误,详见日志
severity-twice = severity 与 min_severity 只能使用其一
shift-absent = 没有班次 { $id }
shift-backwards = 班次的结束必须晚于开始
shift-end-missing = 班次须有每日时段(from_time、until_time)或结束时间(ends_at)
shift-hours = 每日时段由不同的 from_time 和 until_time 组成;weekly_days 为 1(周一)至 7(周日),且需要每日时段;缺勤两者都没有
shift-of-unknown = 没有这个联系人或组织单位
shift-scope = 班次须指定租户或组织单位之一,缺勤则都不指定
silence-absent = 静默 { $id } 不存在
time-of-day-invalid = "{ $time }" 不是 07:00 这样的时刻
upload-no-valid-record = 没有有效记录
writer-absent = 写入器 { $name } 不存在,现有:{ $names }

### 命令行

absent = 缺勤
age = { $age }前
alert-action = { $action ->
    [fired] 触发
    [reopened] 重新触发
    [acknowledged] 已确认
    [resolved] 已解除
    [retracted] 已撤销
    [silenced] 已静默
    [escalated] 已升级
    [raised] 级别升高
    [lowered] 级别降低
    [repeated] 已重复
    [assigned] 已指派
    [unassigned] 已取消指派
    [noted] 已备注
   *[other] { $action }
}
alert-actions = 处理记录
alert-done = 告警 { $id } { alert-action }
alert-heading = 告警 { $id }:{ $message }
alert-notifications = 通知记录
alert-status = { $status ->
    [firing] 告警中
    [acknowledged] 已确认
    [resolved] 已解除
    [recovered] 已恢复
    [expired] 超时结束
    [manual] 人工解除
    [rule_disabled] 规则已停用
    [retracted] 已撤销
   *[other] { $status }
}{ $late ->
    [yes] (补传数据)
   *[no] {""}
}
alerts-more = 另有 { $count } 条更早的告警
alerts-none = 没有符合条件的告警
column = { $name ->
    [age] 时长
    [alert] 告警
    [alerts] 告警数
    [attempts] 尝试次数
    [by] 操作人
    [channel] 渠道
    [contact] 联系人
    [day] 日期
    [device] 设备
    [error] 错误
    [fired] 触发时间
    [from] 开始
    [historical] 补传
    [id] 编号
    [name] 名称
    [note] 备注
    [on] 启用
    [paged] 已通知
    [person] 佩戴者
    [rule] 规则
    [scope] 适用范围
    [severity] 级别
    [status] 状态
    [tenant] 租户
    [to] 接收人
    [unit] 科室
    [until] 结束
    [value] 数值
    [version] 版本
    [what] 内容
    [when] 条件
    [address] 地址
    [after] 延迟
    [audience] 受众
    [contact] 联系人
    [hours] 时段
    [language] 语言
    [on-duty] 当班
    [repeat] 重复
    [signed] 签名
    [where] 范围
   *[other] { $name }
}
address-kept = { $name } 的地址 { $id } 已保存
address-removed = 地址 { $id } 已删除
addresses-none = 没有地址
contacts-none = 没有联系人
days = { $days } 天
dead-letter-refused = { $id } 不会重新发送:{ $reason }
dead-letters-none = 没有发送失败的通知
dead-letters-others = 其余编号不是发送失败的通知
dead-letters-resent = { $moved ->
    [0] 将重新发送 { $count } 条
   *[other] 将重新发送 { $count } 条,其中 { $moved } 条改发至新地址
}
hours = { $hours } 小时
hours-and-minutes = { $hours } 小时 { $minutes } 分钟
minutes = { $minutes } 分钟
months = { $months } 个月
years = { $years } 年
notification-status = { $status ->
    [sent] 已发送({ $at })
    [pending] 待发送(计划 { $at })
    [dead] 发送失败(计划 { $at })
    [cancelled] 已取消(计划 { $at })
   *[other] { $status }(计划 { $at })
}
on-off = { $value ->
    [on] 启用
   *[off] 停用
}
or = 或
replay-all = 合计
replay-broke-off = 回放中断;以上仅包含中断前的设备
replay-devices = 设备  { $all } 台中 { $affected } 台触发
replay-heading = { $changed ->
    [yes] { $rule }({ $severity }),修改:{ $changes }
   *[no] { $rule }({ $severity })
}{"\u000A"}{ $from } 至 { $to }
replay-nobody = 按目前的通知路由,不会通知任何人
replay-notified = 按目前的通知路由和联系人、当时的静默和免打扰时段,并假设无人确认,会通知(不含重复提醒):
replay-longest = 最长  { $device },自 { $from } 起持续 { $duration }{ $has_end ->
    [no] (尚未结束)
   *[yes] {""}
},越限 { $breaches } 次
replay-range = --from 必须早于 --to
replay-rule = 规则
replay-stored = 已有  { $stored } 条:其中 { $again } 条会再次触发,{ $gone } 条不会;新增 { $new } 条
rule-deleted = 规则 { $id } 已删除
rule-draft-heading = 规则:{ $name }
rule-first-version = { $version }  { $at } { $by }
rule-heading = 规则 { $id }:{ $name }
route-test-nobody = 现在不会通知任何人:该对象中没有联系人有此渠道的启用地址,或路由与此人的告警不匹配
route-test-off = 该路由已停用,不通知任何人
route-test-person = 测试通知佩戴者的路由需要指定设想其告警的人员(user_id)
rule-impossible = 规则无效:{ $reason }
rule-no-change = --set { $change }:应为 COLUMN=VALUE
rule-no-object = 规则应为由各列组成的对象
rule-of-tenant = 该规则仅适用于租户 { $id }
rule-other-scope = 该规则适用于单位、人员或设备:不能使用 --customer
rule-silence = { $seconds } 秒无数据
rule-stored = 规则 { $id } 已保存,版本 { $version }
rule-switched = 规则 { $id } { $state ->
    [on] 已启用
   *[off] 已停用
}(版本 { $version })
rule-version = { $version }  { $at } { $by }:{ $changes }
rule-versions = 历史版本
route-incomplete = 通知路由需要 --channel 和 --audience
route-kept = 通知路由 { $id } 已保存
route-removed = 通知路由 { $id } 已删除
routes-none = 没有通知路由
rules-none = 没有符合条件的规则
seconds = { $seconds } 秒
shift-kept = 班次 { $id }:{ $name }
shift-over = 班次 { $id } 已结束
shifts-none = 没有班次
silence-backwards = 结束时间早于开始时间
silence-device-empty = device_sn 为空
silence-end-missing = ends_at 与 for_seconds 必须且只能提供一个
silence-kept = 静默 { $id }:{ $what },至 { $until }
silence-no-duration = --for 应为时长,例如 2h
silence-not-kept = 未创建静默
silence-of-nothing = 必须提供 customer_id、org_id、device_sn 或 rule_id,以指定静默的对象
silence-of-unknown = { $names } 不存在,请检查拼写
silence-over = 静默 { $id } 已结束
silence-question = 仍要创建该静默吗?
silence-too-long = for_seconds 应在 1 到 31536000(一年)之间
silences-none = 当前及以后均无静默
yes-or-no = { $answer ->
    [yes] 是
   *[no] 否
}

### 数据库拒绝的原因:键即 sql/functions 中 vitals.refusal() 的代码

alert-acknowledged-by = 告警 { $id } 已由 { $by } 于 { $at } 确认
alert-actor-missing = 缺少操作人姓名
alert-note-empty = 备注为空
contact-outside = 没有可由您分派的联系人 { $id }
contact-absent = 没有联系人 { $id }
contact-of-another-tenant = 联系人 { $id } 在租户 { $tenant } 中没有组织单位、班次、用户或通知路由
alert-over = 告警 { $id } 已解除({ $resolution ->
    [recovered] 已恢复
    [expired] 超时结束
    [rule_disabled] 规则已停用
    [retracted] 补传数据表明并无告警
   *[other] { $resolution }
},{ $at })
alert-resolved-by = 告警 { $id } 已解除({ $resolution ->
    [manual] 人工解除
    [rule_disabled] 规则已停用
   *[other] { $resolution }
},{ $by },{ $at })
rule-bound-out-of-range = { $column } { $value } 超出 { $metric } 的存储范围({ $lowest } 至 { $highest })
rule-bounds-crossed = { $min_name } { $min } 不小于 { $max_name } { $max }
rule-bounds-missing = { $min_name } 与 { $max_name } 至少需要一个,否则永远不会越限
rule-column-foreign = { $kind } 类规则不使用 { $columns }
rule-column-missing = 缺少 { $column }
rule-column-needs = 使用 { $column } 时必须提供 { $needed }
rule-column-out-of-range = { $column } 应在 { $lowest } 到 { $highest } 之间
rule-combine-unknown = combine 应为 all 或 any
rule-condition = 第 { $place } 个条件:{ $reason }
rule-condition-duration = duration_seconds 应为 0 到 86400 之间的整数
rule-condition-fields = 只能使用 metric、min、max、duration_seconds,不支持 { $others }
rule-condition-metric = 缺少 metric,或其值不是文本
rule-condition-no-number = { $field } 不是数字
rule-condition-no-object = 不是对象
rule-conditions-no-array = conditions 应为由 1 到 10 个对象 {"{"}metric, min, max, duration_seconds{"}"} 组成的数组
rule-days-invalid = effective_days 应为星期几(1 为周一,7 为周日),且不得重复;每天生效时请省略
rule-device-invalid = device_sn 应为 1 到 64 字节的序列号
rule-enabled-missing = enabled 既非 true 也非 false
rule-event-type-case = event_type 应为大写:{ $upper }
rule-event-type-long = event_type 应为短类型:最后一个点之后的部分,最长 64 字节
rule-event-values-empty = event_values 中没有值;不限取值时请省略
rule-event-values-overlap = 同一个值既触发又解除该规则
rule-has-successor = 规则 { $id } 在部分范围内替代它:它必须适用于所有租户
rule-hours-empty = effective_from 与 effective_until 相同;全天生效时请省略两者
rule-hours-incomplete = effective_from 与 effective_until 必须同时提供
rule-kind-fixed = 规则“{ $rule }”:类别不能更改,请另建规则
rule-kind-unknown = kind 应为 threshold、composite、event 或 silence
rule-level = 第 { $place } 级:{ $reason }
rule-level-fields = 只能使用 severity、min、max,不支持 { $others }
rule-level-max-inside = max { $max } 小于上一级的 max({ $before }):读数会先达到它
rule-level-min-inside = min { $min } 大于上一级的 min({ $before }):读数会先达到它
rule-level-no-object = 不是对象
rule-level-not-graver = { $severity } 不比上一级的 { $before } 更严重
rule-level-same = 界限与上一级相同,上一级将永远不会出现
rule-levels-no-array = levels 应为由 1 到 3 个对象 {"{"}severity, min, max{"}"} 组成的数组
rule-message-missing = 没有消息内容
rule-message-placeholder = 消息内容不支持 { $placeholder },可用:{ $known }
rule-message-too-long = 消息内容超过 1000 个字符
rule-metric-unknown = { $column }“{ $metric }”不能用于规则,可用:{ $known }
rule-name-missing = 没有名称
rule-name-too-long = 名称超过 200 个字符
rule-never-recovers = 恢复界限之间没有可能的读数,告警永远不会恢复
rule-person-invalid = user_id 应为人员编号
rule-recovery-above-max = recovery_max_value { $recovery } 大于 max_value { $max }:越限时即会恢复
rule-recovery-below-min = recovery_min_value { $recovery } 小于 min_value { $min }:越限时即会恢复
rule-recovery-values-alone = 使用 recovery_values 时必须提供 event_values:否则任何值都会触发,包括用于解除的值
rule-recovery-values-empty = recovery_values 中没有值;不需要时请省略
rule-refused = 规则“{ $rule }”:{ $reason }
rule-replaced-absent = 要替代的规则 { $id } 不存在
rule-replaced-differs = 规则 { $id } 判断的是其他内容({ $judged })
rule-replaced-of-tenant = 规则 { $id } 并非适用于所有租户,不能被替代
rule-replaces-for-all = 只有单个租户(customer_id)、单位(org_id)、人员(user_id)或设备(device_sn)的规则才能替代适用于所有租户的规则
rule-replaces-itself = 规则不能替代自身
rule-scopes-several = 规则最多只能有一个适用范围:customer_id、org_id、user_id 或 device_sn
rule-severity-unknown = severity 应为 critical、major、minor 或 info
rule-successor-differs = 规则 { $id } 在部分范围内替代它,判断的是 { $judged }
rule-tenant-invalid = customer_id 应为租户编号
rule-time-zone-unknown = 时区“{ $time_zone }”不存在
rule-unit-invalid = org_id 应为组织单位编号
rule-window-too-short = 连续 { $consecutive } 次读数无法落入 window_seconds { $window_seconds }
stream-crowded = 打开的事件流已达上限,请稍后重试
page-shortcuts = 键盘快捷键
page-shortcuts-on = 启用快捷键
page-shortcuts-close = 关闭
page-shortcuts-help = 显示本列表
page-shortcuts-next = 下一条告警
page-shortcuts-previous = 上一条告警
page-shortcuts-acknowledge = 确认告警
page-shortcuts-sound = 打开或关闭声音
page-shortcuts-pause = 暂停声音五分钟
page-shortcuts-search = 搜索

### 页面:各页共用的框架

page-account = 账户
page-admin = 管理
page-alerts = 告警
page-as-of = 截至
page-error = 无法显示
page-every-tenant = 全部租户
page-every-unit = 全部单位
page-language = 语言
# Each in its own language.
page-in-chinese = 中文
page-in-english = English
page-live = 实时
page-log-out = 退出登录
page-login = 登录
page-login-name = 登录名
page-login-password = 密码
page-login-oidc = 使用本单位账号登录
page-login-wrong = 登录名或密码错误,或者账户已停用。
page-login-limited = 尝试次数过多,请等待几分钟再试。
page-login-kiosk = 此屏幕链接已失效,请向管理员索取新链接。
page-login-nothing-granted = 账户有效,但尚未开通任何权限,请联系管理员。
page-login-unavailable = 暂时无法登录,请稍后再试。
page-pages = 页面导航
page-people = 人员
page-role-admin = 管理员
page-role-responder = 处置人员
page-role-viewer = 查看人员
page-scope = { $tenant } · { $unit }
page-skip = 跳到正文
page-sound = 危急告警提示音
page-sound-blocked = 浏览器已阻止告警声音;请在本页点击或按任意键以启用。
page-sound-off = 声音已关
page-sound-on = 声音已开
page-sound-pause = 暂停
page-sound-paused = 声音已暂停
page-sound-test = 试听
page-stale-notice = 连接已中断,当前内容可能不是最新。服务恢复后页面会自动继续。
page-switch = 切换
page-theme = 主题
page-theme-dark = 深色
page-theme-light = 浅色
page-theme-system = 跟随系统
page-try-again = 重试
page-wall = 监护大屏
page-work-as = 当前身份

### 页面:监护大屏

page-acknowledge = 确认
page-against-yesterday = 较昨日
page-alert-type = { $type ->
    [heart_rate] 心率
    [blood_oxygen] 血氧
    [temperature] 体温
    [skin_temperature] 皮肤温度
    [pressure_high] 收缩压
    [pressure_low] 舒张压
    [respiratory_rate] 呼吸频率
    [heart_rate_variability] 心率变异性
    [blood_glucose] 血糖
    [stress] 压力
    [threshold] 数值越限
    [composite] 多个条件
    [event] 事件
    [silence] 无数据
    [SOS_EVENT] SOS 求救
    [ONE_KEY_ALARM] 一键报警
    [FALLDOWN_EVENT] 跌倒
    [WEAR_STATUS_CHANGED] 手表脱落
    [HEARTRATE_HIGH_ALERT] 手表:心率过高
    [HEARTRATE_LOW_ALERT] 手表:心率过低
    [SPO2_LOW_ALERT] 手表:血氧过低
    [STRESS_HIGH_ALERT] 手表:压力过高
    [TEMPERATURE_HIGH_ALERT] 手表:体温过高
    [TEMPERATURE_LOW_ALERT] 手表:体温过低
    [PRESSURE_HIGH_ALERT] 手表:血压过高
    [PRESSURE_LOW_ALERT] 手表:血压过低
   *[other] { $type }
}
page-alerts-by-hour = 近 24 小时告警(按小时)
page-alerts-by-type = 近 24 小时告警(按类型)
page-alerts-today = 今日告警
page-battery = 电量 { $percent } %
page-battery-and-wear = 电量 · 佩戴
page-battery-below = 低于 { $percent } %
page-battery-between = { $low }–{ $high } %
page-battery-from = ≥ { $percent } %
page-breaches = { $count } 次读数
page-cluster = { $count ->
   *[other] { $count } 人
},在线 { $online } 人
page-counters = 今日概况
page-critical-count = 危急 { $count } 条
page-gravest-first = 按严重程度排序
page-hour = 小时
page-in-need = 需要关注
page-last-at = 最近 { $time }
page-limit = 限值 { $value }
page-map-scale = 比例尺 { $distance }
page-map-summary = 共 { $count } 个位置,其中 { $alerts } 个有未结束的告警
page-more = 另有 { $count } 条
page-newest-values = 最新数据
page-no-alerts-today = 近 24 小时没有告警。
page-no-open-alerts = 没有未结束的告警。
page-no-people = 尚无人佩戴手表。
page-no-positions = 近 24 小时没有位置。
page-no-unit = 未分配单位
page-no-values = 尚无数据。
page-nobody-in-need = 所有手表均佩戴、有电且在线。
page-nobody-yet = 尚无人处理
page-not-worn = 未佩戴
page-not-worn-count = 未佩戴 { $count }
page-online-by-unit = 各单位在线人员
page-online-of-people = 在线 / 总数
page-open-alerts = 未结束的告警
page-peak = 峰值 { $value }
page-positions = { $count ->
   *[other] 最新位置,{ $count } 人
}
page-positions-outside = { $count ->
   *[other] { $count } 人在图外。
}
page-positions-private = 此屏幕不显示位置。
page-samples-today = 今日数据
page-silent = 无数据
page-silent-long = 一周以上无数据
page-unclaimed-count = 待处理 { $count } 条
page-was = 曾为{ $severity }
page-watches = 手表
page-watches-online = 在线手表
page-wear-unknown = 未知
page-where-people-are = 人员位置
page-worn = 佩戴中

### 页面:告警、人员与设备

page-acknowledged-by = { $by } 于 { $at } 确认
page-alert = 告警 { $id }
page-assign-to = 指派给
page-assigned-to = 已指派给 { $name }
page-at-least = { $severity }及以上
page-battery-low = 电量低
page-channel = { $channel ->
    [wechat] 微信
    [wecom] 企业微信
    [wecom_robot] 企业微信群
    [dingtalk_robot] 钉钉群
    [feishu_robot] 飞书群
    [sms] 短信
    [email] 邮件
    [webhook] 网络回调
   *[other] { $channel }
}
page-charging = { $state ->
    [CHARGING] 充电中
    [NOT_CHARGING] 未充电
   *[other] 未知
}
page-chart-column = { $name ->
    [time] 时间
    [lowest] 最低
    [mean] 平均
   *[highest] 最高
}
page-chart-empty = 这段时间没有测量值。
page-chart-legend = { $what ->
    [mean] 平均值
    [range] 最低至最高
    [limit] 限值
    [alert] 告警
    [sleep] 睡眠
   *[gap] 空白:未测量
}
page-chart-summary = { $title },{ $from } 至 { $to }:最低 { $lowest },最高 { $highest } { $unit };{ $alerts } 条告警。数值见随后的表格。
page-choose = 选择 { $what }
page-clock-off = { $direction ->
    [ahead] 快 { $amount }
   *[behind] 慢 { $amount }
}
page-column = { $name ->
    [active-hours] 活动小时数
    [alerts] 告警
    [asleep] 入睡至醒来
    [bar] 深睡、浅睡、其他
    [battery] 电量
    [channel] 渠道
    [contact] 联系人
    [day] 日期
    [deep] 深睡(小时)
    [device] 设备
    [distance] 距离
    [duration] 时长
    [event] 事件
    [hours] 小时
    [kind] 类型
    [light] 浅睡(小时)
    [night] 夜晚
    [person] 人员
    [reason] 原因
    [room] 房间
    [state] 状态
    [status] 状态
    [steps] 步数
    [strength-minutes] 中高强度分钟数
    [unit] 科室
    [value] 值
    [when] 时间
    [action] 操作
    [applied] 上次执行
    [by] 操作人
    [bytes] 字节
    [choose] 选择
    [compress] 压缩时间
    [created] 创建
    [detail] 问题
    [held] 暂缓
    [item] 原文
    [keep] 保留
    [lag] 滞后
    [latency] 探测
    [name] 名称
    [note] 备注
    [part] 组成部分
    [refresh] 刷新间隔
    [relation] 表
    [rows] 行数
    [rule] 规则
    [scope] 范围
    [severity] 级别
    [tenant] 租户
    [until] 截止
    [used] 上次使用
    [waiting] 等待
    [address] 地址
    [audience] 对象
    [logged-in] 最近登录
    [refresh-lag] 刷新滞后
    [changed] 修改
    [tested] 最近测试消息
   *[other] { $name }
}
page-contact-deleted = 联系人 { $id }(已删除)
page-date = { $year }年{ $month }月{ $day }日
page-date-short = { $month }月{ $day }日
page-day-range = 今日 { $min }–{ $max },平均 { $mean }
page-devices = 设备
page-fact = { $name ->
    [battery] 电量
    [breaches] 越限次数
    [charging] 充电
    [clock] 时钟
    [device] 设备
    [ended] 结束
    [fired] 触发
    [firmware] 固件
    [first-seen] 首次出现
    [info] 上报时间
    [last] 最近值
    [model] 型号
    [network] 网络
    [peak] 最远值
    [person] 人员
    [position] 位置
    [received] 服务触发时间
    [reported] 上报状态
    [rule] 规则
    [started] 首次越限
    [state] 状态
    [voltage] 电压
    [wear] 佩戴
   *[other] { $name }
}
page-filter = { $name ->
    [any] 不限
    [from] 从
    [kind] 类型
    [mine] 指派给我的
    [search] 搜索
    [severity] 级别
    [show] 显示
    [state] 状态
    [status] 状态
    [to] 到
    [unit] 科室
   *[other] { $name }
}
page-historical = 全部读数均迟到:未通知任何人。
page-kind = { $kind ->
    [threshold] 数值越限
    [composite] 多个条件
    [event] 事件
    [silence] 无数据
   *[other] { $kind }
}
page-limit-form = { $what ->
    [above] 高于
    [add] 新增限值
    [below] 低于
    [duration] 持续秒数
    [change] 修改此人的限值
    [metric] 体征
    [name] 名称
    [own] 为此人单独设置限值
    [remove] 删除:恢复通用规则
    [set] 保存
   *[severity] 级别
}
page-limit-done = { $what ->
    [removed] 已删除此人的限值:{ $name }
    [kept] 已删除此人的限值:{ $name }。该规则曾触发告警,因此保留但停用
   *[set] 已设置此人的限值:{ $name }
}
page-limit-not-replaced = 规则 { $id } 不能为单个人替换:请新增限值
page-metric = { $metric ->
    [heart_rate] 心率
    [blood_oxygen] 血氧
    [pressure] 血压
    [pressure_high] 收缩压
    [pressure_low] 舒张压
    [temperature] 体温
    [skin_temperature] 皮肤温度
    [respiratory_rate] 呼吸频率
    [heart_rate_variability] 心率变异性
    [blood_glucose] 血糖
    [stress] 压力
    [step] 步数
    [distance] 距离
    [calorie] 能量
   *[other] { $name }
}
page-next = 下一页
page-no-device = 没有此设备
page-no-person = 没有此人
page-no-rules = 没有适用的规则。
page-no-track = 这段时间没有位置。
page-nobody = 无人
page-nobody-notified = 未通知任何人。
page-nobody-wears-it = 无人佩戴
page-none-chosen = 未选择告警:请先勾选一条或多条
page-note = 备注
page-nothing-measured = 近期没有测量值。
page-nothing-recorded = 这段时间没有记录。
page-nothing-yet = 暂无。
page-notification-kind = { $kind ->
    [fired] 触发
    [raised] 加重
    [escalated] 未确认
    [repeated] 仍未确认
    [acknowledged] 已确认
    [assigned] 指派
    [resolved] 已解除
   *[other] { $kind }
}
page-notification-status = { $status ->
    [pending] 待发送
    [sent] 已发送
    [dead] 失败
    [cancelled] 不再需要
   *[other] { $status }
}
page-now = 当前
page-older = 更早的告警
page-online = { $online ->
    [yes] 在线
   *[no] 离线
}
page-open-count = { $count } 条未解除告警
page-part = { $name ->
    [alerts] 这段时间的告警
    [device] 设备
    [devices] 当前佩戴的设备
    [events] 事件
    [exercise] 运动
    [limits] 限值
    [nights] 睡眠
    [track] 轨迹
    [workouts] 锻炼
    [worn] 佩戴记录
   *[other] { $name }
}
page-period = { $which ->
    [day] 日
    [week] 周
    [month] 月
    [earlier] 更早
    [later] 更晚
    [today] 今天
   *[periods] 时间
}
page-read-state = { $state ->
    [online] 在线
    [offline] 离线
   *[alerting] 有未解除告警
}
page-resolved = 已解除:{ $reason },{ $at }
page-resolved-by = { $by } 于 { $at } 解除
page-rule-scope = { $scope ->
    [device] 此设备
    [person] 此人
    [unit] 科室
    [tenant] 租户
   *[everybody] 所有人
}
page-silence-for = 静默时长
page-step = { $step ->
    [acknowledge] 确认
    [note] 添加备注
    [assign] 指派
    [silence] 静默
   *[resolve] 解除
}
page-steps-done = { $count } 条告警{ alert-action }
page-track-summary = { $positions } 个位置,{ $from } 至 { $to }
page-unit = { $metric ->
    [heart_rate] 次/分
    [respiratory_rate] 次/分
    [blood_oxygen] %
    [stress] 分
    [step] 步
   *[other] { $symbol }
}
page-wears-nothing = 此人当前未佩戴设备。
page-weekday = { $weekday ->
    [1] 周一
    [2] 周二
    [3] 周三
    [4] 周四
    [5] 周五
    [6] 周六
   *[7] 周日
} { $day }日
page-what-to-do = 处理
page-with-chosen = 对所选告警

### 页面:管理

page-account-switched = { $login }:{ on-off }
page-day-of-week = { $day ->
    [1] 周一
    [2] 周二
    [3] 周三
    [4] 周四
    [5] 周五
    [6] 周六
   *[7] 周日
}
page-link-incomplete = 链接需要名称和租户
page-link-name-taken = 已有名为 { $name } 的链接
page-link-revoked = 链接 { $name } 已吊销
page-on-duty = { $on_duty ->
    [yes] 值班中
   *[no] 未值班
}
page-role = { $role ->
    [viewer] 查看者
    [responder] 处理者
   *[admin] 管理员
}
page-audience = { $audience ->
    [wearer] 佩戴者
    [managers] 科室负责人
    [on_duty] 值班人员
   *[contact] 指定联系人
}
page-combine = { $combine ->
    [all] 满足全部条件
   *[any] 满足任一条件
}
page-duration = { $unit ->
    [seconds] { $count } 秒
    [minutes] { $count } 分钟
    [hours] { $count } 小时
   *[days] { $count } 天
}
page-time-unit = { $unit ->
    [seconds] 秒
    [minutes] 分钟
    [hours] 小时
    [days] 天
   *[unit] 时间单位
}
page-field = { $name ->
    [after_seconds] 仅当告警超过此时间仍无人确认;留空或 0:立即
    [audience] 通知对象
    [channel] 渠道
    [combine] 条件的组合
    [consecutive] 需连续越限的读数;留空:1
    [contact_id] 联系人,仅用于指定联系人
    [cooldown_seconds] 结束后此时间内再次越限则重新打开告警;留空:5 分钟
    [customer_id] 匹配其告警的租户编号;留空:所有租户
    [effective_days] 越限生效的星期;不选:每天
    [effective_from] 越限生效自;留空:全天
    [effective_until] 越限生效至
    [enabled] 启用
    [event_type] 事件类型,例如 SOS_EVENT
    [event_values] 触发告警的值,每行一个;留空:任意值
    [expire_seconds] 此时间内无越限则自动结束;留空:从不
    [late_after_seconds] 晚于此时间收到的越限不通知任何人;留空:15 分钟
    [max_value] 高于此值告警
    [merge_seconds] 后续消息等待并合并的时间;留空:按渠道设置
    [message] 通知文字;留空:姓名、规则和数值
    [metric] 生命体征
    [min_severity] 从此级别起
    [min_value] 低于此值告警
    [name] 名称
    [on_acknowledged] 也通知由谁确认
    [on_resolved] 也通知结束
    [org_id] 匹配其告警的科室,含下级科室;留空:所有科室
    [quiet_from] 免打扰自;留空:无。危急告警不等待。
    [quiet_until] 免打扰至
    [recovery_count] 结束告警所需的连续读数;留空:3
    [recovery_max_value] 降至此值结束;留空:上限
    [recovery_min_value] 升至此值结束;留空:下限
    [recovery_values] 结束告警的值,每行一个;留空:无
    [repeat_seconds] 重复间隔;留空:不重复
    [repeat_times] 最多重复次数;留空:100
    [replaces_rule_id] 取代这条适用于所有人的规则
    [rule_id] 匹配其告警的规则
    [scope] 适用对象
    [scope_id] 所选租户、科室或人员的编号,或设备序列号
    [severity] 级别
    [silent_seconds] 无样本的时间
    [time_zone] 时段的时区,例如 Asia/Shanghai;留空:服务的时区
    [window_seconds] 须在此时间内;留空:10 分钟
   *[other] { $name }
}
page-route-after = 告警 { $time }后仍无人确认时
page-route-at-once = 立即
page-route-events = { $what ->
    [both] 也通知由谁确认以及结束
    [acknowledged] 也通知由谁确认
   *[resolved] 也通知结束
}
page-route-merges = { $time }内的后续消息合并为一条
page-route-quiet = { $from } 至 { $until }{ $zone } 等待,危急除外
page-route-repeats = 之后每 { $time }一次,最多 { $times } 次
page-route-switched = 路由 { $id }:{ on-off }
page-rule-condition = 条件 { $place }
page-rule-condition-incomplete = 条件 { $place } 需要生命体征
page-rule-level = 更高级别 { $place }
page-rule-level-incomplete = 更高级别 { $place } 需要级别
page-rule-scope-unclear = 租户、科室、人员或设备需要其编号或序列号,其他选择则没有
page-admin-section = { $name ->
    [health] 服务状态
    [rules] 规则
    [silences] 静默
    [keys] 密钥
    [rejected] 被拒数据
    [accounts] 账户
    [contacts] 联系人
    [shifts] 班次
   *[policies] 保留策略
}
page-admin-words = { $what ->
    [disable] 停用
    [enable] 启用
    [end] 结束
    [for-ever] 永久
    [key-made] 新密钥
    [key-once] 请立即复制:之后不再显示。
    [make] 创建密钥
    [name] 名称
    [new-key] 新建密钥
    [new-rule] 新建规则
    [rule-of-everybody] 此规则适用于所有人,由全部租户的管理员修改。此表单新建一条在您的租户中取代它的规则。
    [more] 更多:连续读数、恢复、时段、文字
    [any] 任意
    [change] 修改
    [change-route] 修改路由
    [test-person] 有告警的人员编号
    [test-result] 测试消息的结果
    [test-more] 该路由还有更多地址,未向其发送。
    [parts] 组成部分
    [person] 所属人员
    [plan] 下次执行的内容
    [records-last-minute] 最近一分钟存储的记录:
    [remove] 删除
    [replay] 重新读取所选项
    [revoke] 吊销
    [save] 保存
    [scopes] 权限
    [system-alerts] 最近一小时通知运维的事项
    [tenant] 租户编号;留空:所有租户
    [try-out] 试运行
    [try-out-days] 试运行时长
    [try-out-result] 试运行结果
    [uptime] 已运行
    [valid-days] 有效天数;留空:直到吊销
    [accounts] 账户
    [address] 地址
    [addresses] 地址
    [channel] 渠道
    [contact] 联系人
    [days-of-week] 开始的星期;不选:每天
    [from-time] 从
    [link-made] 大屏链接
    [links] 大屏
    [new-address] 新增地址
    [new-link] 新建链接
    [new-route] 新增路由
    [new-shift] 新增班次
    [private] 以首字代替姓名,不显示位置
    [routes] 路由
    [secret] 消息签名密钥;留空:无
    [tenant-number] 租户编号
    [unit] 科室
    [unit-number] 科室编号;留空:整个租户
    [until-time] 至
    [new-account] 新建账户
    [also-elsewhere] 在其他范围也有角色:只有管理全部范围的人才能停用
    [give-role] 授予角色
    [take-role] 收回
    [end-sessions] 全部登出
    [login] 登录名
    [account-name] 姓名;留空:与登录名相同
    [password] 密码;留空:自动生成并只显示一次
    [of-browser] 随浏览器
    [role] 角色
    [make-account] 创建账户
    [make-link] 创建链接
    [meaning] 各项的含义
    [change-policy] 修改一项
    [policy-value] 项目
    [policy-to] 新值,例如 90 days 或 1 year;字节数填数字;留空:无
    [preview] 查看后果
    [preview-title] 尚未修改:修改的后果
    [no-value] 无
    [drops-more] 下次执行会比不修改时删除更多数据。删除的数据无法恢复。
    [plan-after] 修改后下次执行
    [plan-before] 不修改时下次执行
    [confirm] 确认修改
    [test] 发送测试消息
    [delivered] 已送达
    [not-delivered] 未送达
   *[other] { $what }
}
page-condition = { $condition ->
    [up] 正常
    [late] 滞后
   *[down] 中断
}
password-short = 密码有 { $chars } 个字符:至少需要 { $least } 个(login.password_min_chars)
password-long = 密码超过 { $most } 字节
password-is-login = 密码与登录名相同
page-account-made = 账户 { $login } 已创建
page-account-password = { $login } 的密码
page-account-incomplete = 账户需要登录名和角色
page-account-taken = 已有登录名为 { $login } 或使用此姓名的账户
page-account-own = 不能在此更改自己的账户
page-account-beyond = 此账户在其他范围也有角色:只有管理全部范围的人才能更改
page-other-tenant = 超出您的租户范围
page-role-beyond = 只能在自己管理的范围内授予角色
page-unit-without-tenant = 填写科室时需要租户
page-role-given = 已授予 { $login } 该角色
page-role-taken = 已收回 { $login } 的该角色
page-sessions-ended = { $login } 已登出:结束了 { $sessions } 个会话
page-test-delivered = 测试消息已送达
page-test-failed = 测试消息未送达:{ $reason }
page-test-too-soon = 此地址刚刚测试过:请等待十秒
policy-absent = 没有这项策略或值
policy-changed = { $relation } 的策略已修改
policy-changed-meanwhile = { $relation } 的策略在此期间已被修改:未作修改
page-policy-meaning = { $value ->
    [keep_for] 数据可被删除的时长。无:永久保留。早于 health_data 保留时长的上传会被拒绝。
    [compress_after] 数据被压缩的时长,仅 TimescaleDB 社区版支持。无:从不压缩。
    [refresh_every] 汇总多久更新一次。
    [refresh_lag] 刷新时略过、读取时才计算的最新时段。
   *[keep_bytes] 保留的文本字节数,仅用于 rejected_upload;最早的先删除。无:不限。
}
page-policy-of = { $relation ->
    [health_data] 手表上传的原始样本
    [health_15m] 每刻钟汇总
    [health_hourly] 每小时汇总
    [health_daily] 每日汇总
    [health_weekly] 每周汇总
    [health_monthly] 每月汇总
    [device_info] 设备自身信息
    [device_event] 事件,如 SOS 和跌倒
    [sleep_segment] 睡眠
    [exercise_day] 每日运动
    [workout] 锻炼
    [health_document] 随样本上传的文档
    [alert] 已解除的告警
    [notification] 已发送或已放弃的通知
    [rejected_upload] 未能存储的数据
    [device] 长期没有消息的设备
    [unknown_name] 上传中的未知名称
    [watch_log] 手表日志
    [access_log] 谁查看了谁的数据
    [vitals-ingest_batch] 已提交上传的记账
    [vitals-account_session] 登录会话
   *[vitals-alert_change] 已通知看板的告警变化
}
page-key-admin-of-tenant = admin 权限涉及所有租户:单个租户的密钥不能拥有
page-key-incomplete = 密钥需要名称和至少一项权限
page-key-name-taken = 已有名为 { $name } 的密钥
page-key-person-missing = respond 权限需要指定所属人员
page-key-revoked = 密钥 { $name } 已吊销
page-rejected-count = { $count } 条数据未能存储;显示最新 { $shown } 条
page-replayed = 已存储 { $stored } 条,重复 { $duplicates } 条,再次被拒 { $refused } 条
page-rule-for = { $scope ->
    [device] 设备
    [person] 人员
    [unit] 科室
    [tenant] 租户
   *[everybody] 所有人
}
page-scope-of-key = { $scope ->
    [upload] 上传
    [read] 读取
    [respond] 处理告警
   *[admin] 管理
}
page-system-alert = { $state ->
    [lasts] 持续中
   *[over] 已结束
}
page-try-out = { $days } 天内 { $devices } 台设备中有 { $affected } 台触发,共 { $alerts } 条告警
page-try-out-more = 仅评估了前 { $devices } 台设备;vitals alerts replay-rule 可评估全部设备。
page-try-out-stored = 已存储的规则在同一时间内对这些设备触发了 { $alerts } 条。

### 演示

demo-account = 演示账户
demo-person = { $number } 号人员
demo-tenant = 示例诊所 { $number }
demo-unit = { $number } 病区

### 读取健康数据

device-absent = 没有该序列号的设备
exports-too-many = 正在进行的导出已达上限,请稍后再试
form-not-acceptable = 没有所要求的格式:Accept 可为 application/json、application/x-ndjson 或 text/csv;并非每个路径都支持全部格式
metric-unknown = 没有名为“{ $name }”的指标:{ $known }
parameter-no-format = 应为 json、ndjson 或 csv
parameter-no-moment = 应为时间(例如 2026-01-31T08:00:00Z)或日期(例如 2026-01-31)
parameter-no-point-limit = 应为 1 到 { $most } 之间的数
parameter-no-zone = 应为时区名称,例如 Asia/Shanghai
person-absent = 没有该编号的人员
span-empty = from 必须早于 to
span-too-long = from 与 to 相距超过 { $most } 天:请缩短时间范围,或使用更粗的粒度
zone-only-days = 周和月只按汇总的时区划分:zone 只用于按天或更细的粒度
