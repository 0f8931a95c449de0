//! A fleet that moves: the paths of vitals here, the rest to the old server, uploads to both.

use serde_json::{Value, json};

use super::behind;
use crate::harness::{
    Balancer, BalancerKind, Behind, Database, Receiver, Reply, Service, authority, eventually,
};

const BODY: &str = r#"{"deviceSn":"MOVING","heart_rate":70}"#;

async fn old_server() -> Receiver {
    Receiver::start(|_| Reply::Json(json!({ "server": "old" }))).await
}

/// `nginx` with `moving.conf`; both instances are this service.
async fn start(service: &Service, old: &str, edits: &[(&'static str, &str)]) -> Option<Balancer> {
    let mut edits: Vec<_> = edits.iter().map(|(from, to)| (*from, (*to).to_owned())).collect();
    edits.push(("127.0.0.1:8090", authority(old)));
    let behind = Behind { site: "moving", edits, ..behind(&service.url(), &service.url()) };
    Balancer::start(BalancerKind::Nginx, &behind).await
}

async fn upload(balancer: &Balancer) -> Value {
    let request =
        reqwest::Client::new().post(format!("{}/upload_health_data?from=watch", balancer.url)).body(BODY);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
}

async fn is_stored(database: &Database) {
    let client = database.client().await;
    eventually("the upload is stored", async || {
        let row = client.query_one("select count(*) from health_data", &[]).await.expect("rows");
        (row.get::<_, i64>(0) > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_a_fleet_moves_vitals_answers_uploads_and_the_old_server_gets_copies() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let old = old_server().await;
    let Some(balancer) = start(&service, &old.url(), &[]).await else { return service.finish().await };
    let answer = upload(&balancer).await;
    assert_eq!(answer["status"], "success", "{answer}");
    is_stored(&database).await;
    let copy = old.received("/upload_health_data", 1).await.remove(0);
    assert_eq!((copy.text.as_str(), copy.query["from"].as_str()), (BODY, "watch"));
    // Without the old server nothing changes for the watches.
    drop(old);
    assert_eq!(upload(&balancer).await["status"], "success");
    service.finish().await;
}

#[tokio::test]
async fn before_a_fleet_moves_vitals_gets_copies_and_the_old_server_answers() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let old = old_server().await;
    let exchanged =
        [("$answering vitals;", "$answering old_server;"), ("$copied old_server;", "$copied vitals;")];
    let Some(balancer) = start(&service, &old.url(), &exchanged).await else { return service.finish().await };
    assert_eq!(upload(&balancer).await, json!({ "server": "old" }));
    is_stored(&database).await;
    service.finish().await;
}

#[tokio::test]
async fn while_a_fleet_moves_our_paths_come_here_and_all_others_go_to_the_old_server() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let old = old_server().await;
    let Some(balancer) = start(&service, &old.url(), &[]).await else { return service.finish().await };
    let document = service.get("/openapi.json").await.body;
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.len() > 20, "{}", paths.len());
    // Where the old server has its start page, and what the balancer keeps to itself.
    for path in paths.keys().filter(|path| !["/", "/metrics"].contains(&path.as_str())) {
        let path = path.replace("{id}", "1");
        reqwest::get(format!("{}{path}", balancer.url)).await.expect("an answer");
    }
    let strays: Vec<_> = old
        .requests()
        .into_iter()
        .map(|request| request.path)
        .filter(|path| !path.starts_with("/upload_"))
        .collect();
    assert_eq!(strays, Vec::<String>::new());
    for path in ["/", "/dashboard", "/api/users", "/api/alertsettings"] {
        let answer = reqwest::get(format!("{}{path}", balancer.url)).await.expect("an answer");
        assert_eq!(answer.text().await.expect("text"), json!({ "server": "old" }).to_string(), "{path}");
    }
    service.finish().await;
}
