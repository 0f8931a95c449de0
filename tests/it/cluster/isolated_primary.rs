//! A primary that commits what no standby has: it shows the row, nobody is told that it is stored, and with the primary it is gone.

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::json;
use tokio_postgres::Client;

use super::connect;
use super::instances::Instances;
use crate::harness::{Cluster, eventually, eventually_or_none};

const DEVICE: &str = "ISOLATED-1";

/// Times the usual wait, until a standby is promoted: the lease of a killed primary ends after 20 s.
const PROMOTED_WITHIN: u32 = 4;

/// A watch that uploads to one instance.
struct Watch {
    http: reqwest::Client,
    url: String,
    key: String,
    /// When it measured first, epoch seconds.
    began: i64,
}

impl Watch {
    /// Uploads the reading of this second of its own; gives the status of the answer.
    async fn upload(&self, second: i64) -> Option<StatusCode> {
        let body =
            json!({ "data": { "deviceSn": DEVICE, "heart_rate": 70, "timestamp": self.began + second } });
        let request = self.http.post(&self.url).bearer_auth(&self.key).body(body.to_string());
        request.send().await.ok().map(|answer| answer.status())
    }

    /// How many rows a server shows of that reading.
    async fn rows(&self, client: &Client, second: i64) -> i64 {
        let sql =
            "select count(*) from health_data where device_sn = $1 and extract(epoch from ts)::int8 = $2";
        client.query_one(sql, &[&DEVICE, &(self.began + second)]).await.expect("a count").get(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_primary_had_that_is_gone_was_never_acknowledged_and_is_stored_once_when_it_is_sent_again()
 {
    let Some(cluster) = Cluster::bring_up().await else { return };
    // An unanswered commit is given up, and asked after, well before the upload is answered.
    let variables = [("VITALS_STATEMENT_TIMEOUT_MS", "500"), ("VITALS_COMMIT_DEADLINE_MS", "3000")];
    let instances = Instances::start(&cluster, &variables).await;
    let watch = Watch {
        http: reqwest::Client::new(),
        url: format!("http://{}/upload_health_data", cluster.instances[0]),
        key: instances.key.clone(),
        began: Timestamp::now().as_second() - 60,
    };
    let is_accepted = async |second| (watch.upload(second).await == Some(StatusCode::OK)).then_some(());
    eventually("an upload is accepted", || is_accepted(1)).await;
    let old = cluster.node_with("primary").await;
    let primary = connect(&cluster.url_of(&old)).await;
    // Otherwise Patroni learns after five seconds that no standby has the log, and promotes none of them without it.
    primary.batch_execute("alter system set wal_sender_timeout = '5min'").await.expect("altered");
    primary.batch_execute("select pg_reload_conf()").await.expect("read again");
    let nodes = cluster.nodes().await;
    let standbys: Vec<&str> =
        nodes.iter().filter(|node| node.role == "standby").map(|node| node.name.as_str()).collect();
    assert_eq!(standbys.len(), 2, "{nodes:?}");
    for standby in &standbys {
        cluster.run(&["isolate", standby]).await;
    }

    assert_ne!(watch.upload(2).await, Some(StatusCode::OK), "no standby has it");
    eventually("the primary shows the row", || async { (watch.rows(&primary, 2).await == 1).then_some(()) })
        .await;
    for _ in 0..2 {
        assert_ne!(watch.upload(2).await, Some(StatusCode::OK), "that the row is found proves nothing");
    }
    cluster.run(&["kill", &old]).await;
    for standby in &standbys {
        cluster.run(&["heal", standby]).await;
    }

    let new = promoted(&cluster).await;
    assert_eq!(
        (watch.rows(&new, 1).await, watch.rows(&new, 2).await),
        (1, 0),
        "acknowledged, and not acknowledged"
    );
    eventually("the upload is accepted when it is sent again", || is_accepted(2)).await;
    assert_eq!(watch.rows(&new, 2).await, 1);
    // The old primary comes back, and without its own row.
    cluster.run(&["up"]).await;
    let back = connect(&cluster.url_of(&old)).await;
    let is_standby = back.query_one("select pg_is_in_recovery()", &[]).await.expect("an answer");
    assert!(is_standby.get::<_, bool>(0));
    eventually("it has what the new primary has", || async {
        (watch.rows(&back, 2).await == 1).then_some(())
    })
    .await;
    let accounts = "select sum(stored)::int8 from vitals.ingest_batch where batch_id in
                    (select batch_id from health_data where device_sn = $1)";
    assert_eq!(new.query_one(accounts, &[&DEVICE]).await.expect("a sum").get::<_, i64>(0), 2, "each once");
    instances.stop(&cluster).await;
}

/// A connection to the next primary.
async fn promoted(cluster: &Cluster) -> Client {
    for _ in 0..PROMOTED_WITHIN {
        let primary = eventually_or_none(|| async {
            let node = cluster.nodes().await.into_iter().find(|node| node.role == "primary")?;
            Some(node.name)
        });
        if let Some(node) = primary.await {
            return connect(&cluster.url_of(&node)).await;
        }
    }
    panic!("no standby is promoted: {:?}", cluster.nodes().await);
}
