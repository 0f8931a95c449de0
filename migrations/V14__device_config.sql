-- What a watch is told when it asks for its configuration (GET /fetch_health_data_config): the settings of its tenant,
-- what to measure and how often, and where to send it. Changed by SQL; the next answer follows it.
-- The rows of tenant 0 hold for every tenant that has none of its own, so that an empty database serves a working
-- watch: settings are inherited column by column, metrics and interfaces row by row.
-- Locks: none that matter on a new database.

create table device_config (
    customer_id                   bigint not null,
    upload_method                 text,
    is_support_license            boolean,
    license_key                   integer,
    cache_max_count               integer,
    enable_resume                 boolean,
    upload_retry_count            integer,
    upload_retry_interval_seconds integer,
    constraint device_config_pkey primary key (customer_id),
    constraint device_config_customer_id_fkey foreign key (customer_id) references customer (customer_id),
    constraint device_config_upload_method_check check (upload_method in ('wifi', 'bluetooth')),
    constraint device_config_cache_max_count_check check (cache_max_count > 0),
    constraint device_config_upload_retry_count_check check (upload_retry_count >= 0),
    constraint device_config_upload_retry_interval_check check (upload_retry_interval_seconds >= 0),
    constraint device_config_defaults_check check (
        customer_id <> 0
        or num_nulls(
            upload_method, is_support_license, license_key, cache_max_count, enable_resume, upload_retry_count,
            upload_retry_interval_seconds
        ) = 0
    )
);

comment on table device_config is 'Settings of watches, one row per tenant that has its own; tenant 0 holds the defaults.';
comment on column device_config.customer_id                   is 'Tenant. 0: the defaults of everybody.';
comment on column device_config.upload_method                 is 'How watches upload: wifi (by themselves) or bluetooth (by way of a phone). NULL: as tenant 0.';
comment on column device_config.is_support_license            is 'Whether watches check a licence. NULL: as tenant 0.';
comment on column device_config.license_key                   is 'The licence, a number. NULL: as tenant 0.';
comment on column device_config.cache_max_count               is 'Samples a watch keeps while it cannot upload; the firmware holds 100 at most. NULL: as tenant 0.';
comment on column device_config.enable_resume                 is 'Whether kept samples are uploaded later. NULL: as tenant 0.';
comment on column device_config.upload_retry_count            is 'Times an upload is tried again. NULL: as tenant 0.';
comment on column device_config.upload_retry_interval_seconds is 'Pause between two tries, seconds. NULL: as tenant 0.';

create table device_config_metric (
    customer_id      bigint  not null,
    metric           text    not null,
    interval_seconds integer,
    collect          boolean not null default true,
    realtime         boolean not null default true,
    warn_high        numeric(6, 1),
    warn_low         numeric(6, 1),
    warn_count       integer,
    constraint device_config_metric_pkey primary key (customer_id, metric),
    constraint device_config_metric_customer_id_fkey foreign key (customer_id) references customer (customer_id),
    constraint device_config_metric_metric_check check (metric ~ '^[a-z][a-z0-9_]*$'),
    constraint device_config_metric_interval_check check (interval_seconds > 0),
    constraint device_config_metric_warn_count_check check (warn_count >= 0)
);

comment on table device_config_metric is 'What watches measure, how often, and when they warn by themselves; the alert rules of the service are apart from it.';
comment on column device_config_metric.customer_id      is 'Tenant. 0: the defaults of everybody.';
comment on column device_config_metric.metric           is 'heart_rate, blood_oxygen, temperature, stress, step, distance, calorie, sleep, exercise_daily, exercise_week, scientific_sleep, work_out, location, ecg or wear.';
comment on column device_config_metric.interval_seconds is 'Time between two measurements, seconds. NULL: none is set, watches are told -1.';
comment on column device_config_metric.collect          is 'Whether it is measured at all.';
comment on column device_config_metric.realtime         is 'Whether it is uploaded with the samples as they come.';
comment on column device_config_metric.warn_high        is 'The watch warns above it, in the unit of health_data. NULL: never, watches are told -1.';
comment on column device_config_metric.warn_low         is 'The watch warns below it, in the unit of health_data. NULL: never, watches are told -1.';
comment on column device_config_metric.warn_count       is 'Readings in a row beyond a bound before it warns. NULL: none is set, watches are told -1.';

create table device_config_interface (
    customer_id      bigint  not null,
    name             text    not null,
    path             text    not null,
    interval_seconds integer not null,
    enabled          boolean not null default true,
    api_id           text    not null default '',
    auth_header      text    not null default '',
    constraint device_config_interface_pkey primary key (customer_id, name),
    constraint device_config_interface_customer_id_fkey foreign key (customer_id) references customer (customer_id),
    constraint device_config_interface_path_check check (path ~ '^(/|https?://)[^;[:space:]]*$'),
    constraint device_config_interface_interval_check check (interval_seconds > 0),
    constraint device_config_interface_text_check check (api_id !~ '[;[:cntrl:]]' and auth_header !~ '[;[:cntrl:]]')
);

comment on table device_config_interface is 'Where watches send what; the names are those the firmware looks for. auth_header is a secret: dashboards have no business here.';
comment on column device_config_interface.customer_id      is 'Tenant. 0: the defaults of everybody.';
comment on column device_config_interface.name             is 'Name of the interface, in the words of the firmware.';
comment on column device_config_interface.path             is 'Path below public_base_url of the service, or a whole http(s) URL of somebody else.';
comment on column device_config_interface.interval_seconds is 'Time between two calls, seconds.';
comment on column device_config_interface.enabled          is 'Whether watches call it.';
comment on column device_config_interface.api_id           is 'Number the caller is known by. Empty: none.';
comment on column device_config_interface.auth_header      is 'What watches send as Authorization. Empty: nothing.';

insert into device_config (
    customer_id, upload_method, is_support_license, license_key, cache_max_count, enable_resume, upload_retry_count,
    upload_retry_interval_seconds
) values (0, 'wifi', false, 0, 100, true, 3, 10);

insert into device_config_metric (
    customer_id, metric, interval_seconds, collect, realtime, warn_high, warn_low, warn_count
) values
    (0, 'heart_rate',          20, true, true, 100.0, 80.0, 5),
    (0, 'blood_oxygen',        20, true, true, null,  90.0, 5),
    (0, 'temperature',         20, true, true, 37.5,  35.0, 5),
    (0, 'stress',            1800, true, true, 66.0,  null, 5),
    (0, 'step',              1800, true, true, 0,     0,    0),
    (0, 'distance',          1800, true, true, 0,     0,    0),
    (0, 'calorie',           1800, true, true, 0,     0,    0),
    (0, 'sleep',             1800, true, true, 0,     0,    0),
    (0, 'exercise_daily',    1800, true, true, 0,     0,    0),
    (0, 'exercise_week',     1800, true, true, 0,     0,    0),
    (0, 'scientific_sleep',  1800, true, true, 0,     0,    0),
    (0, 'work_out',          1800, true, true, 0,     0,    0),
    (0, 'location',           300, true, true, 0,     0,    0),
    (0, 'ecg',               1800, false, false, 0,   0,    0),
    (0, 'wear',                20, true, true, 0,     0,    0);

-- This service has no messages for watches; the interface stands here, off, because the firmware asks for its name.
insert into device_config_interface (customer_id, name, path, interval_seconds, enabled) values
    (0, '健康数据上传接口', '/upload_health_data',         60, true),
    (0, '设备信息上传接口', '/upload_device_info',       1800, true),
    (0, '事件上传接口',     '/upload_common_event',        60, true),
    (0, '平台消息交互接口', '/device_message',             60, false),
    (0, '配置获取接口',     '/fetch_health_data_config', 14400, true);
