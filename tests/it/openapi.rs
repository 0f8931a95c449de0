//! The OpenAPI document: it describes the routes there are, and what it says of them is so.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Database, Service};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

async fn document(service: &Service) -> Value {
    let answer = service.get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    answer.body
}

/// (path, method, operation) of everything described.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().expect("operations");
        operations.iter().map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
    });
    all.collect()
}

#[tokio::test]
async fn every_route_is_described_and_every_described_one_is_there() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let document = document(&service).await;

    // `routes!` takes a route and its description from the handler; no route comes in another way.
    let source = include_str!("../../src/http/mod.rs");
    let source = ["uploads()", "readers()", "uploads"]
        .iter()
        .fold(source.to_owned(), |source, own| source.replace(&format!(".merge({own})"), ""));
    for way in [".route(", ".nest(", ".merge(", ".route_service(", ".nest_service("] {
        assert!(!source.contains(way), "src/http/mod.rs takes routes by {way}");
    }
    let routed: BTreeSet<&str> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".routes(routes!(")?.strip_suffix("))"))
        .flat_map(|handlers| handlers.split(','))
        .map(|handler| handler.rsplit("::").next().expect("a name").trim())
        .collect();
    let operations = operations(&document);
    let described: BTreeSet<&str> =
        operations.iter().map(|(.., operation)| operation["operationId"].as_str().expect("an id")).collect();
    assert_eq!(routed, described);

    let http = reqwest::Client::new();
    for (path, _, _) in &operations {
        for method in METHODS {
            let is_described = operations.iter().any(|(p, m, _)| p == path && m == method);
            let path = path
                .replace("{file}", "swagger-ui.css")
                .replace("{id}", "1")
                .replace("{name}", "style.css")
                .replace("{part}", "alerts");
            let url = format!("{}{path}", service.url());
            let method = method.to_uppercase().parse().expect("a method");
            let answer = http.request(method, url).send().await.expect("an answer");
            let (status, allow) = (answer.status().as_u16(), answer.headers().get("allow").cloned());
            if is_described {
                let is_endless =
                    answer.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
                // A number that is nobody's is told so, which only a route can.
                let text = if is_endless { String::new() } else { answer.text().await.expect("a body") };
                assert!(status != 405 && !text.contains("no such path"), "{path} {status} {text}");
            } else {
                assert_eq!(status, 405, "{path}");
                assert!(allow.is_some(), "{path}");
            }
        }
    }
    service.finish().await;
}

/// A handler is found by its path, and the other way round; below `/api/` and among the pages a path has several, by method.
#[tokio::test]
async fn a_handler_is_named_as_its_path() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (path, method, operation) in operations(&document(&service).await) {
        let has_several = path.starts_with("/api/")
            || ["pages", "people"].contains(&operation["tags"][0].as_str().expect("a tag"));
        let method = if has_several { format!("{method}_") } else { String::new() };
        let name = if path == "/" { "root" } else { path.as_str() };
        let name = name.trim_start_matches('/').replace(['/', '.', '-'], "_").replace(['{', '}'], "");
        let name = format!("{method}{name}");
        assert_eq!(operation["operationId"], name);
        assert!(!operation["summary"].as_str().expect("a summary").is_empty(), "{path}");
    }
    service.finish().await;
}

/// Names of a field in the document: its own, and those told as "Also: `…`, `…`."
fn names<'a>(name: &'a str, field: &'a Value) -> Vec<&'a str> {
    let description = field["description"].as_str().expect("a description");
    let older = description.split_once("Also: ").map_or("", |(_, older)| older);
    std::iter::once(name).chain(older.split('`').skip(1).step_by(2)).collect()
}

/// An item of a route: its schema, where it goes, and the names under which it tells what it cannot be without.
struct Kind {
    schema: &'static str,
    path: &'static str,
    table: &'static str,
    serial: &'static str,
    besides: &'static [(&'static str, &'static str)],
    unmeasured: &'static [&'static str],
}

const KINDS: [Kind; 3] = [
    Kind {
        schema: "HealthItem",
        path: "/upload_health_data",
        table: "health_data",
        serial: "deviceSn",
        besides: &[],
        unmeasured: &["heart_rate"],
    },
    Kind {
        schema: "DeviceInfoItem",
        path: "/upload_device_info",
        table: "device_info",
        serial: "SerialNumber",
        besides: &[],
        unmeasured: &["voltage"],
    },
    Kind {
        schema: "EventItem",
        path: "/upload_common_event",
        table: "device_event",
        serial: "deviceSn",
        besides: &[("eventType", "a.b.SOS_EVENT")],
        unmeasured: &[],
    },
];

const TIME: &str = "2026-01-02 03:04:05";

#[tokio::test]
async fn every_name_the_document_tells_is_read() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let document = document(&service).await;
    for kind in &KINDS {
        let fields =
            document["components"]["schemas"][kind.schema]["properties"].as_object().expect("fields");
        assert!(fields.len() > 10, "{}", kind.schema);
        for (number, (name, field)) in fields.iter().enumerate() {
            for (generation, spelling) in names(name, field).into_iter().enumerate() {
                // Another serial for each, whatever it is told under.
                let serial = format!("{}-{number}-{generation}", kind.schema);
                let item = item_with(kind, name, spelling, &serial);
                let answer = service.post(kind.path, json!({ "data": item }).to_string()).await;
                assert_eq!(answer.status, 200, "{item}: {answer:?}");
                assert!(is_stored(&database, kind, name, &serial).await, "{spelling} is not read: {item}");
            }
        }
    }
    service.finish().await;
}

/// An item that says `name` by another spelling, and besides it what an item cannot be without.
fn item_with(kind: &Kind, name: &str, spelling: &str, serial: &str) -> Value {
    let mut item = json!({ (kind.serial): serial, "timestamp": TIME });
    let fields = item.as_object_mut().expect("an object");
    fields.extend(kind.besides.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    let value = fields.remove(name).unwrap_or_else(|| match name {
        "upload_method" | "status" | "chargingStatus" => json!("wifi"),
        "healthData" => json!({ "deviceSn": serial, "heart_rate": 42 }),
        // No document, so that its text is kept.
        _ if name.ends_with("Data") => json!("as sent"),
        _ => json!(42),
    });
    match name {
        // Half a position is none.
        "latitude" => drop(fields.insert("longitude".to_owned(), json!(7))),
        "longitude" => drop(fields.insert("latitude".to_owned(), json!(7))),
        _ => {}
    }
    fields.insert(spelling.to_owned(), value);
    // What names no value at all is refused.
    for unmeasured in kind.unmeasured {
        fields.entry(*unmeasured).or_insert(Value::Null);
    }
    item
}

/// Does the row of `serial` hold what the field called `name` is about?
async fn is_stored(database: &Database, kind: &Kind, name: &str, serial: &str) -> bool {
    let holds = match name {
        "deviceSn" | "SerialNumber" => "true".to_owned(),
        "timestamp" => format!("ts = '{TIME}+08'"),
        "customerId" => "customer_id = 42".to_owned(),
        "orgId" => "org_id = 42".to_owned(),
        "userId" => "user_id = 42".to_owned(),
        "body_temperature" => "temperature = 42".to_owned(),
        "blood_pressure_systolic" => "pressure_high = 42".to_owned(),
        "blood_pressure_diastolic" => "pressure_low = 42".to_owned(),
        "System Software Version" => "system_version = '42'".to_owned(),
        "Network Access Mode" => "network_mode = '42'".to_owned(),
        "Wifi Address" | "Bluetooth Address" | "IP Address" | "Device Name" | "IMEI" => {
            format!("{} = '42'", name.to_lowercase().replace(' ', "_"))
        }
        "batteryLevel" => "battery_level = 42".to_owned(),
        "chargingStatus" => "charging_status = 'UNKNOWN'".to_owned(),
        "wearState" => "wear_state = '42'".to_owned(),
        "eventType" => "event_type = 'SOS_EVENT'".to_owned(),
        "eventValue" => "value = '42'".to_owned(),
        "healthData" => {
            "(select heart_rate = 42 from health_data h where h.device_sn = device_event.device_sn)"
                .to_owned()
        }
        document if document.ends_with("Data") => {
            "exists (select from health_document d where d.device_sn = health_data.device_sn)".to_owned()
        }
        "upload_method" | "status" => format!("{name} = 'wifi'"),
        column => format!("{column} = 42"),
    };
    let query = format!("select {holds} from {} where device_sn = $1", kind.table);
    let row = database.client().await.query_one(&query, &[&serial]).await;
    row.expect("one row").get::<_, Option<bool>>(0) == Some(true)
}

#[tokio::test]
async fn every_example_of_a_body_is_taken() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let mut taken = 0;
    for (path, method, operation) in operations(&document(&service).await) {
        let Some(body) = operation.get("requestBody") else { continue };
        if path.starts_with("/api/") {
            // Most need something that is there; see alert_api.
            assert!(!body["content"]["application/json"]["example"].is_null(), "{path} has no example");
            continue;
        }
        assert_eq!(method, "post");
        // Forms of the pages: see `accounts` and `pages`.
        let Some(content) = body["content"].get("application/json") else { continue };
        let examples = content["examples"].as_object();
        for (name, example) in examples.unwrap_or_else(|| panic!("{path} has no examples")) {
            let answer = service.post(&path, example["value"].to_string()).await;
            assert_eq!(answer.status, 200, "{path} {name}: {answer:?}");
            taken += 1;
        }
    }
    assert!(taken >= 10);
    service.finish().await;
}

#[tokio::test]
async fn the_page_loads_everything_from_the_service_itself() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let http = reqwest::Client::new();
    let page = http.get(format!("{}/docs", service.url())).send().await.expect("a page");
    let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    let html = page.text().await.expect("text");
    let links: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().expect("a link"))
        .collect();
    assert!(links.len() >= 5, "{html}");
    for link in links {
        assert!(!link.contains(':') && !link.starts_with('/'), "{link} is not relative");
        for packed in ["gzip", "identity"] {
            let request = http.get(format!("{}/{link}", service.url())).header("accept-encoding", packed);
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{link}");
            let encoding = answer.headers().get("content-encoding").map(|name| name.to_str().expect("text"));
            assert!(encoding.is_none() || encoding == Some(packed), "{link}: {encoding:?}");
        }
    }
    let start = http.get(format!("{}/docs/swagger-initializer.js", service.url()));
    let start = start.send().await.expect("an answer").text().await.expect("text");
    assert!(start.contains("\"openapi.json\"") && !start.contains("http"), "{start}");
    service.finish().await;
}

#[tokio::test]
async fn the_root_leads_to_the_page() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let answer = client.get(format!("{}/", service.url())).send().await.expect("an answer");
    assert_eq!(answer.status(), 303);
    // Relative, as the page itself: a proxy may have put a path before it.
    assert_eq!(answer.headers()["location"], "docs");
    let page = service.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").expect("a type").starts_with("text/html"));
    service.finish().await;
}
