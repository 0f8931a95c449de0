//! `GET /fetch_health_data_config`: what a watch is told, and how a DBA changes it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vitals::config::Authentication;

use crate::harness::{Database, Proxy, Service, authorization, eventually};

const TENANT: i64 = 1_939_964_806_110_937_090;
const ORG: i64 = 1_939_964_806_110_937_091;
const USER: i64 = 1_939_964_806_110_937_092;

/// Every type a watch measures, in alphabetical order.
const TYPES: [&str; 15] = [
    "blood_oxygen",
    "calorie",
    "distance",
    "ecg",
    "exercise_daily",
    "exercise_week",
    "heart_rate",
    "location",
    "scientific_sleep",
    "sleep",
    "step",
    "stress",
    "temperature",
    "wear",
    "work_out",
];

/// The interfaces the firmware looks for, with the paths they lead to.
const INTERFACES: [(&str, &str, &str); 5] = [
    ("健康数据上传接口", "/upload_health_data", "1"),
    ("设备信息上传接口", "/upload_device_info", "1"),
    ("事件上传接口", "/upload_common_event", "1"),
    ("平台消息交互接口", "/device_message", "0"),
    ("配置获取接口", "/fetch_health_data_config", "1"),
];

async fn change(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// A tenant, a unit below it, a user in it, and a device on the user's wrist.
async fn people(database: &Database) {
    let sql = format!(
        "insert into customer values ({TENANT}, '养老院');
         insert into org_unit (org_id, ancestors) values ({ORG}, '{{0,{TENANT}}}');
         insert into app_user values ({USER}, {ORG}, null);
         select bind_device('WATCH-1', {USER});"
    );
    change(database, &sql).await;
}

/// What a watch is told. On a busy machine the first connection may take longer than a watch waits.
async fn fetch_config(service: &Service, query: &str) -> Value {
    let answer = eventually("the configuration can be read", || async {
        let answer = service.get(&format!("/fetch_health_data_config{query}")).await;
        (answer.status != 503).then_some(answer)
    })
    .await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.body
}

/// As `String.split` of Java takes a text apart: empty parts at the end are dropped.
fn java_split(text: &str, separator: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(separator).collect();
    while parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

fn numbers(text: &Value) -> Vec<f64> {
    let text = text.as_str().expect("text");
    let number = |part: &str| part.parse().ok().filter(|number: &f64| number.is_finite());
    java_split(text, ':').into_iter().map(|part| number(part).unwrap_or_else(|| panic!("{text}"))).collect()
}

#[tokio::test]
async fn an_empty_database_serves_a_working_watch() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (query, tenant) in [
        (format!("?customer_id={TENANT}&deviceSn=WATCH-1"), TENANT.to_string()),
        ("?customer_id=&deviceSn=WATCH-1".to_owned(), "0".to_owned()),
        ("?customer_id=0&deviceSn=".to_owned(), "0".to_owned()),
        (String::new(), "0".to_owned()),
    ] {
        let config = fetch_config(&service, &query).await;
        assert_eq!(config["customer_id"], json!(tenant), "{query}");
        assert!(config["customer_name"].is_string());
        assert_eq!(config["upload_method"], "wifi");
        for number in [
            "is_support_license",
            "license_key",
            "cache_max_count",
            "enable_resume",
            "upload_retry_count",
            "upload_retry_interval",
        ] {
            assert!(config[number].is_i64() || config[number].is_u64(), "{number}: {}", config[number]);
        }
        assert_eq!(config["cache_max_count"], 100);
        let metrics = config["health_data"].as_object().expect("an object");
        assert_eq!(metrics.keys().collect::<Vec<_>>(), TYPES);
        assert!(metrics.values().all(|text| numbers(text).len() == 6), "{metrics:?}");
        assert_eq!(metrics["heart_rate"], "20:1:1:120.0:50.0:5");
        assert_eq!(metrics["sleep"], "1800:1:1:0.0:0.0:0");
        assert_eq!(metrics["blood_oxygen"], "20:1:1:-1:90.0:5");
        let interfaces = config["interface_data"].as_object().expect("an object");
        assert_eq!(interfaces.len(), INTERFACES.len());
        for (name, path, enabled) in INTERFACES {
            let parts = java_split(interfaces[name].as_str().expect("text"), ';');
            assert_eq!(parts.len(), 5, "{parts:?}");
            assert_eq!(parts[0], format!("{}{path}", service.url()));
            let interval: u32 = parts[1].parse().expect("seconds");
            assert_eq!(interval > 0, enabled == "1", "an interval of 0 is what stops a request: {parts:?}");
            assert_eq!(parts[2..], [enabled, "None", "None"]);
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn a_bound_device_is_told_its_tenant_unit_and_user_and_others_have_no_such_fields() {
    let database = Database::new().await;
    people(&database).await;
    let service = Service::start(&database).await;
    let config = fetch_config(&service, "?deviceSn=WATCH-1").await;
    assert_eq!(config["customer_id"], json!(TENANT.to_string()));
    assert_eq!((&config["org_id"], &config["user_id"]), (&json!(ORG), &json!(USER)));
    assert_eq!(config["customer_name"], "养老院");

    let config = fetch_config(&service, &format!("?customer_id={TENANT}&deviceSn=OTHER")).await;
    assert_eq!(config["customer_id"], json!(TENANT.to_string()));
    let fields = config.as_object().expect("an object");
    assert!(!fields.contains_key("org_id") && !fields.contains_key("user_id"), "{fields:?}");
    service.finish().await;
}

#[tokio::test]
async fn a_bound_device_belongs_to_the_tenant_of_its_user_whatever_it_was_told_before() {
    let database = Database::new().await;
    people(&database).await;
    change(&database, "insert into customer values (7, 'seven')").await;
    let service = Service::start(&database).await;
    for named in ["7", "12345"] {
        let config = fetch_config(&service, &format!("?customer_id={named}&deviceSn=WATCH-1")).await;
        assert_eq!(config["customer_id"], json!(TENANT.to_string()));
    }
    service.finish().await;
}

#[tokio::test]
async fn a_tenant_is_told_what_was_set_for_it_and_the_defaults_for_the_rest() {
    let database = Database::new().await;
    people(&database).await;
    let service = Service::start(&database).await;
    let sql = format!(
        "insert into device_config (customer_id, upload_method, license_key) values ({TENANT}, 'bluetooth', 10);
         insert into device_config_metric (customer_id, metric, interval_seconds, warn_high, warn_low, warn_count)
         values ({TENANT}, 'heart_rate', 5, 120, 50.5, 3), ({TENANT}, 'ecg', null, null, null, null);
         insert into device_config_interface (customer_id, name, path, interval_seconds, api_id, auth_header)
         values ({TENANT}, '平台消息交互接口', 'https://messages.example.org/m', 30, '42', 'Bearer x:y=');
         update device_config_metric set interval_seconds = 60 where customer_id = 0 and metric = 'stress';"
    );
    change(&database, &sql).await;
    let config = fetch_config(&service, "?deviceSn=WATCH-1").await;
    assert_eq!((&config["upload_method"], &config["license_key"]), (&json!("bluetooth"), &json!(10)));
    assert_eq!((&config["cache_max_count"], &config["enable_resume"]), (&json!(100), &json!(1)));
    let metrics = &config["health_data"];
    assert_eq!(metrics["heart_rate"], "5:1:1:120.0:50.5:3");
    assert_eq!(metrics["ecg"], "-1:1:1:-1:-1:-1");
    assert_eq!(metrics["stress"], "60:1:1:66.0:-1:5");
    assert_eq!(
        config["interface_data"]["平台消息交互接口"],
        "https://messages.example.org/m;30;1;42;Bearer x:y="
    );

    let others = fetch_config(&service, "?deviceSn=OTHER").await;
    assert_eq!(others["upload_method"], "wifi");
    assert_eq!(others["health_data"]["heart_rate"], "20:1:1:120.0:50.0:5");
    service.finish().await;
}

/// A watch keeps the configuration of the server before when an interface has not five parts, and skips the metrics behind
/// one without six numbers.
#[tokio::test]
async fn whatever_is_set_a_watch_that_splits_as_java_does_reads_every_interface_and_metric() {
    let database = Database::new().await;
    people(&database).await;
    let sql = format!(
        "insert into device_config_interface (customer_id, name, path, interval_seconds, enabled, api_id, auth_header)
         values ({TENANT}, '事件上传接口', '/upload_common_event', 30, true, ' ', ''),
                ({TENANT}, '配置获取接口', '/fetch_health_data_config', 30, true, '7', ' '),
                ({TENANT}, '设备信息上传接口', '/upload_device_info', 30, false, '', 'Bearer x');
         insert into device_config_metric (customer_id, metric, interval_seconds, collect, warn_high, warn_low, warn_count)
         values ({TENANT}, 'ecg', null, false, null, null, null), ({TENANT}, 'wear', 5, true, -1.5, null, 0);"
    );
    change(&database, &sql).await;
    let service = Service::start(&database).await;
    for query in ["?deviceSn=WATCH-1", "?deviceSn=NOBODYS", ""] {
        let config = fetch_config(&service, query).await;
        for (name, text) in config["interface_data"].as_object().expect("an object") {
            let parts = java_split(text.as_str().expect("text"), ';');
            assert!(
                parts.len() == 5 && parts.iter().all(|part| !part.trim().is_empty()),
                "{name}: {parts:?}"
            );
            let interval: u32 = parts[1].parse().expect("seconds");
            assert_eq!(interval > 0, parts[2] == "1", "{name}: {parts:?}");
        }
        for (name, text) in config["health_data"].as_object().expect("an object") {
            assert_eq!(numbers(text).len(), 6, "{name}: {text}");
        }
    }
    let client = database.client().await;
    for sql in [
        "update device_config_metric set warn_high = 'NaN' where metric = 'wear'",
        "update device_config_metric set warn_low = 'NaN' where metric = 'wear'",
    ] {
        assert!(client.batch_execute(sql).await.is_err(), "no number: {sql}");
    }
    service.finish().await;
}

/// What a watch was told stands for "none" is no key when it comes back.
#[tokio::test]
async fn a_watch_that_sends_the_header_none_is_one_without_a_key() {
    let database = Database::new().await;
    people(&database).await;
    let service =
        Service::start_with(&database, |settings| settings.authentication = Authentication::Keys).await;
    let ask = async |header: &str| {
        let path = "/fetch_health_data_config?deviceSn=WATCH-1";
        eventually("the configuration can be read", async || {
            let answer = service.send_as(header, "GET", path, None).await;
            (answer.status != 503).then_some(answer)
        })
        .await
    };
    let (without, none) = (ask("").await, ask("None").await);
    assert_eq!((without.status, none.status), (200, 200), "{none:?}");
    assert_eq!(without.body, none.body);
    service.finish().await;
}

#[tokio::test]
async fn new_defaults_come_only_where_nobody_set_others() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    for (set, told_then) in [("100, 80", "120.0:50.0"), ("110, 80", "110.0:80.0"), ("null, null", "-1:-1")] {
        let set = format!(
            "update device_config_metric set (warn_high, warn_low) = ({set}) where customer_id = 0 and metric = 'heart_rate'"
        );
        client.batch_execute(&set).await.expect("set");
        let migration = include_str!("../../migrations/V18__device_config_defaults.sql");
        client.batch_execute(migration).await.expect("migrated");
        let config = fetch_config(&service, "?deviceSn=DEFAULT").await;
        assert_eq!(config["health_data"]["heart_rate"], format!("20:1:1:{told_then}:5"));
    }
    service.finish().await;
}

#[tokio::test]
async fn a_tenant_nobody_knows_is_refused_as_soon_as_any_is_known() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    assert_eq!(fetch_config(&service, "?customer_id=5").await["customer_id"], "5");
    // Known by its organisation units alone, with the name of its root.
    change(&database, "insert into org_unit values (8, 'eight', '{}'), (9, 'nine', '{0,0,8}')").await;
    assert_eq!(fetch_config(&service, "?customer_id=8").await["customer_name"], "eight");
    for (query, reason) in [
        ("?customer_id=5", "customer 5 is not known"),
        ("?customer_id=9&deviceSn=NOBODYS", "customer 9 is not known"),
        ("?customer_id=abc", "customer_id is not a number of at most 64 bits"),
        ("?customer_id=9223372036854775808", "customer_id is not a number of at most 64 bits"),
    ] {
        let answer = service.get(&format!("/fetch_health_data_config{query}")).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.body, json!({ "success": false, "error": reason }));
    }
    assert_eq!(fetch_config(&service, "?deviceSn=NOBODYS").await["customer_id"], "0");
    service.finish().await;
}

#[tokio::test]
async fn the_parameters_are_read_in_every_spelling() {
    let database = Database::new().await;
    people(&database).await;
    change(&database, "insert into customer values (7, 'seven')").await;
    let service = Service::start(&database).await;
    for query in
        ["?deviceSn=WATCH-1", "?device_sn=WATCH-1", "?deviceSn=&device_sn=WATCH-1", "?deviceSn=%20WATCH-1"]
    {
        assert_eq!(fetch_config(&service, query).await["user_id"], json!(USER), "{query}");
    }
    for query in
        ["?customer_id=7", "?customerId=7", "?customer_id=null&customerId=7", "?customerId=7&deviceSn=%00"]
    {
        assert_eq!(fetch_config(&service, query).await["customer_name"], "seven", "{query}");
    }
    service.finish().await;
}

#[tokio::test]
async fn the_urls_are_those_by_which_watches_reach_the_service() {
    let database = Database::new().await;
    let behind_a_proxy = Service::start_with(&database, |settings| {
        settings.public_base_url = "https://vitals.example.org/".to_owned();
    })
    .await;
    let config = fetch_config(&behind_a_proxy, "").await;
    let url = config["interface_data"]["健康数据上传接口"].as_str().expect("text");
    assert!(url.starts_with("https://vitals.example.org/upload_health_data;"), "{url}");
    behind_a_proxy.finish().await;

    let on_any_address = Service::start_with(&database, |settings| {
        settings.listen = "0.0.0.0:0".parse().expect("an address");
        settings.authentication = Authentication::Keys;
    })
    .await;
    let host = on_any_address.url().replace("http://0.0.0.0", "127.0.0.1");
    // Asked by an address it does not know itself by.
    let url = format!("http://{host}/fetch_health_data_config");
    let upload = authorization(&database, &["upload"], 0).await;
    let http = reqwest::Client::new();
    let config: Value = eventually("the configuration can be read", || async {
        let asking = http.get(&url).header("authorization", &upload);
        let answer = asking.send().await.expect("an answer");
        if answer.status() == 503 { None } else { Some(answer.json().await.expect("JSON")) }
    })
    .await;
    let url = config["interface_data"]["健康数据上传接口"].as_str().expect("text");
    assert!(url.starts_with(&format!("http://{host}/upload_health_data;")), "{url}");
    on_any_address.finish().await;
}

#[tokio::test]
async fn a_watch_is_answered_in_time_while_the_database_is_away() {
    let database = Database::new().await;
    let (cable, url) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| settings.database_url = url).await;
    fetch_config(&service, "").await;
    cable.cut();
    let asked_at = Instant::now();
    let answer = service.get("/fetch_health_data_config?deviceSn=WATCH-1").await;
    assert!(asked_at.elapsed() < Duration::from_secs(2), "{:?}", asked_at.elapsed());
    assert_eq!((answer.status, &answer.body["success"]), (503, &json!(false)));
    assert!(answer.retry_after.is_some());
    cable.restore();
    service.finish().await;
}

#[tokio::test]
async fn what_no_watch_could_read_is_refused_by_the_tables() {
    let database = Database::new().await;
    let client = database.client().await;
    for sql in [
        "update device_config set license_key = null where customer_id = 0",
        "update device_config set upload_method = 'pigeon'",
        "update device_config_interface set auth_header = 'a;b'",
        "update device_config_interface set path = 'upload_health_data'",
        "insert into device_config (customer_id) values (77)",
        "delete from customer where customer_id = 0",
    ] {
        assert!(client.batch_execute(sql).await.is_err(), "{sql}");
    }
}
