//! Whatever is sent: no panic, no 500, no status that the document does not know; what was refused is in
//! `rejected_upload`, and a replay refuses it again for the same reason; the accounts balance; the service lives.
//!
//! `PROPTEST_CASES=100000 cargo test --test it fuzz` looks longer.

mod bodies;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::harness::{Answer, Database, Service, vitals};
use bodies::Sent;

/// Cases of a test, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 300;

fn cases() -> Config {
    let said = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    // A failing case is told in the output; nothing is written beside the sources.
    Config { cases: said.unwrap_or(CASES), failure_persistence: None, ..Config::default() }
}

struct Target {
    runtime: Runtime,
    database: Database,
    service: Service,
    client: Client,
    document: Value,
}

impl Target {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (database, service, client, document) = runtime.block_on(async {
            let database = Database::new().await;
            let service = Service::start(&database).await;
            let client = database.client().await;
            let document = service.get("/openapi.json").await.body;
            (database, service, client, document)
        });
        Self { runtime, database, service, client, document }
    }

    fn check(&self, sent: &Sent) -> Result<(), TestCaseError> {
        self.runtime.block_on(async {
            let before = self.last_reject().await;
            let headers: Vec<_> = sent.packing.iter().map(|name| ("content-encoding", *name)).collect();
            let answer = self.service.post_with(sent.path, &headers, sent.bytes.clone()).await;
            self.is_documented(sent.path, &answer)?;
            self.is_accounted_for(sent, &answer, before).await
        })
    }

    fn is_documented(&self, path: &str, answer: &Answer) -> Result<(), TestCaseError> {
        prop_assert!(!matches!(answer.status, 500 | 503), "{:?}", answer);
        let responses = &self.document["paths"][path]["post"]["responses"];
        prop_assert!(responses.get(answer.status.to_string()).is_some(), "{:?}", answer);
        prop_assert!(answer.body["status"].is_string(), "{:?}", answer);
        Ok(())
    }

    /// Every refused item of the answer is in `rejected_upload`, as a new row or once more, and there are no others.
    async fn is_accounted_for(
        &self,
        sent: &Sent,
        answer: &Answer,
        before: Kept,
    ) -> Result<(), TestCaseError> {
        let body = &answer.body;
        let told = body.get("errors").filter(|told| told.is_array()).unwrap_or(&body["error_details"]);
        let told = told.as_array().map_or(&[][..], Vec::as_slice);
        let query = "select reason, detail, body from rejected_upload where batch_id > $1 order by rejected_upload_id";
        let kept = self.client.query(query, &[&before.batch_id]).await.expect("rejects");
        let times = self.last_reject().await.times - before.times;
        // Some answers count what was refused; all name the first ten.
        match body["details"]["error"].as_i64().or(body["errors"].as_i64()) {
            Some(refused) => prop_assert_eq!(times, refused, "{:?}", answer),
            None => prop_assert_eq!(times.min(10), told.len() as i64, "{:?}", answer),
        }
        for error in told {
            let is_kept = |row: &tokio_postgres::Row| {
                error["reason"] == row.get::<_, &str>(0) && error["message"] == row.get::<_, &str>(1)
            };
            prop_assert!(kept.iter().any(is_kept), "{} is not kept", error);
        }
        for row in kept.iter().filter(|_| !sent.is_quoted()) {
            let text: &str = row.get(2);
            // PostgreSQL keeps no NUL.
            let sent = sent.text().replace('\0', "\u{fffd}");
            prop_assert!(sent.contains(text), "{:?} was not sent", text);
            prop_assert!(row.get::<_, &str>(0) != "refused_by_database", "{:?}", text);
        }
        Ok(())
    }

    async fn last_reject(&self) -> Kept {
        let query = "select coalesce(max(batch_id), 0), coalesce(sum(times), 0)::bigint from rejected_upload";
        let row = self.client.query_one(query, &[]).await.expect("two numbers");
        Kept { batch_id: row.get(0), times: row.get(1) }
    }

    /// Rejects as they are: number, serial, reason, detail (but for the one that tells the time of day).
    async fn rejects(&self) -> Vec<(i64, Option<String>, String, String)> {
        let query =
            "select rejected_upload_id, device_sn, reason, case reason when 'too_old' then '' else detail end
                     from rejected_upload order by rejected_upload_id";
        let rows = self.client.query(query, &[]).await.expect("rejects");
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    }

    fn finish(self) {
        self.runtime.block_on(self.assert_serves());
        let Self { runtime, service, .. } = self;
        runtime.block_on(service.finish());
    }

    async fn assert_serves(&self) {
        assert_eq!(self.service.get("/livez").await.status, 200);
        let item = json!({ "deviceSn": "ALIVE-1", "heart_rate": 70, "timestamp": 1_767_294_245 });
        let (stored, duplicate, refused) = self.service.upload(&item).await;
        assert_eq!((stored + duplicate, refused), (1, 0));

        let before = self.rejects().await;
        let said = vitals(&self.database, &["rejected", "replay", "--json"]).await;
        let account: Value = serde_json::from_str(&said.out).expect("an account");
        assert_eq!((&account["stored"], &account["duplicate"]), (&json!(0), &json!(0)), "{said:?}");
        let after = self.rejects().await;
        let changed = before.iter().zip(&after).find(|(before, after)| before != after);
        assert_eq!(changed, None, "a replay of what cannot be stored changes nothing");
        assert_eq!(before.len(), after.len());
        self.accounts_balance().await;
    }

    async fn accounts_balance(&self) {
        let account = self
            .client
            .query_one(
                "select bool_and(received = stored + duplicate + rejected),
                        sum(stored)::bigint = (select count(*) from health_data)
                            + (select count(*) from device_event) + (select count(*) from device_info),
                        sum(rejected)::bigint = (select coalesce(sum(times), 0)::bigint from rejected_upload)
                 from vitals.ingest_batch",
                &[],
            )
            .await
            .expect("an account");
        assert_eq!([0, 1, 2].map(|column| account.get::<_, bool>(column)), [true; 3]);
    }
}

/// What `rejected_upload` held: its last transaction, and how many items.
#[derive(Clone, Copy)]
struct Kept {
    batch_id: i64,
    times: i64,
}

fn fuzz(what: impl Strategy<Value = Sent>) {
    let target = Target::new();
    TestRunner::new(cases()).run(&what, |sent| target.check(&sent)).unwrap_or_else(|error| panic!("{error}"));
    target.finish();
}

#[test]
fn no_bytes_harm_the_service() {
    fuzz(bodies::bytes());
}

#[test]
fn no_damage_to_a_body_of_the_fleet_harms_the_service() {
    fuzz(bodies::damaged());
}

#[test]
fn no_structure_harms_the_service() {
    fuzz(bodies::structured());
}
