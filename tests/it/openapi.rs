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
            let url = format!("{}{}", service.url(), path.replace("{file}", "swagger-ui.css"));
            let method = method.to_uppercase().parse().expect("a method");
            let answer = http.request(method, url).send().await.expect("an answer");
            let (status, allow) = (answer.status().as_u16(), answer.headers().get("allow").cloned());
            if is_described {
                assert!(!matches!(status, 404 | 405), "{path} {status}");
            } else {
                assert_eq!(status, 405, "{path}");
                assert!(allow.is_some(), "{path}");
            }
        }
    }
    service.finish().await;
}

/// A handler is found by its path, and the other way round.
#[tokio::test]
async fn a_handler_is_named_as_its_path() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (path, _, operation) in operations(&document(&service).await) {
        let name = path.trim_start_matches('/').replace(['/', '.'], "_").replace(['{', '}'], "");
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

#[tokio::test]
async fn every_name_the_document_tells_is_read() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let document = document(&service).await;
    let fields = document["components"]["schemas"]["HealthItem"]["properties"].as_object().expect("fields");
    assert!(fields.len() > 20);
    for (number, (name, field)) in fields.iter().enumerate() {
        let value = match name.as_str() {
            "deviceSn" => json!("NAME-SERIAL"),
            "timestamp" => json!("2026-01-02 03:04:05"),
            "upload_method" => json!("wifi"),
            _ if name.ends_with("Data") => json!("{\"code\":0,\"data\":[]}"),
            _ => json!(42),
        };
        for (generation, spelling) in names(name, field).into_iter().enumerate() {
            let serial = format!("NAME-{number}-{generation}");
            let mut item = json!({ "deviceSn": serial, "timestamp": 1_767_294_245 });
            let fields = item.as_object_mut().expect("an object");
            match name.as_str() {
                "deviceSn" => drop(fields.remove("deviceSn")),
                "timestamp" => drop(fields.remove("timestamp")),
                // Half a position is none.
                "latitude" => drop(fields.insert("longitude".to_owned(), json!(7))),
                "longitude" => drop(fields.insert("latitude".to_owned(), json!(7))),
                _ => {}
            }
            fields.insert(spelling.to_owned(), value.clone());
            let (stored, _, refused) = service.upload(&json!({ "data": item })).await;
            assert!(stored == 1 || name == "deviceSn", "{spelling}");
            assert_eq!(refused, 0, "{spelling}");
            if !matches!(name.as_str(), "deviceSn" | "timestamp") {
                assert!(is_stored(&database, &serial, name).await, "{spelling} is not read");
            }
        }
    }
    let at =
        "select count(*) from health_data where ts = '2026-01-02 03:04:05+08' and device_sn <> 'NAME-SERIAL'";
    let row = database.client().await.query_one(at, &[]).await.expect("a count");
    assert!(row.get::<_, i64>(0) >= 2, "each name of the time is read");
    service.finish().await;
}

/// Does the row of `serial` hold what the field called `name` is about?
async fn is_stored(database: &Database, serial: &str, name: &str) -> bool {
    let column = match name {
        "customerId" => "customer_id",
        "orgId" => "org_id",
        "userId" => "user_id",
        "body_temperature" => "temperature",
        "blood_pressure_systolic" => "pressure_high",
        "blood_pressure_diastolic" => "pressure_low",
        document if document.ends_with("Data") => {
            "(select min(body) from health_document d where d.device_sn = health_data.device_sn)"
        }
        column => column,
    };
    let query = format!("select ({column}) is not null from health_data where device_sn = $1");
    database.client().await.query_one(&query, &[&serial]).await.expect("one row").get(0)
}

#[tokio::test]
async fn every_example_of_a_body_is_taken() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let mut taken = 0;
    for (path, method, operation) in operations(&document(&service).await) {
        let Some(body) = operation.get("requestBody") else { continue };
        assert_eq!(method, "post");
        let examples = body["content"]["application/json"]["examples"].as_object();
        for (name, example) in examples.unwrap_or_else(|| panic!("{path} has no examples")) {
            let answer = service.post(&path, example["value"].to_string()).await;
            assert_eq!(answer.status, 200, "{path} {name}: {answer:?}");
            taken += 1;
        }
    }
    assert!(taken >= 6);
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
