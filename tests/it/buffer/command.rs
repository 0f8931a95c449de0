//! `vitals buffer` and `vitals erase` with the real binary, while uploads wait and no service runs.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Buffered, append, assert_answered, now, sample, uploads_in};
use crate::harness::{CommandOutput, command, vitals_with};

impl Buffered {
    pub(super) async fn run(&self, arguments: &[&str]) -> CommandOutput {
        let variables = self.variables();
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        vitals_with(&self.database, arguments, &variables).await
    }

    /// What `vitals buffer status --json` says.
    async fn status(&self) -> Value {
        let status = self.run(&["buffer", "status", "--json"]).await;
        assert_eq!(status.code, 0, "{status:?}");
        serde_json::from_str(&status.out).expect("JSON")
    }

    /// Buffers a sample of each device, and stops the service while PostgreSQL is away.
    async fn with_samples_of(&self, devices: &[&str]) {
        let samples: Vec<Value> = devices.iter().map(|device| sample(device, 70, now())).collect();
        self.with_uploads(samples.iter().map(|sample| ("/upload_health_data", json!({ "data": [sample] }))))
            .await;
    }

    /// Buffers uploads, each with its path, and stops the service while PostgreSQL is away.
    pub(super) async fn with_uploads(&self, uploads: impl Iterator<Item = (&str, Value)>) {
        let service = self.service_with(|settings| settings.commit_deadline_ms = 2_000).await;
        self.link.cut();
        for (path, body) in uploads {
            assert_answered(&service.post(path, body.to_string()).await, "buffered");
        }
        service.stop().await;
        self.link.restore();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_shown_inspected_dropped_and_drained_without_a_service() {
    let Some(buffered) = Buffered::new().await else { return };
    let empty = buffered.run(&["buffer", "status"]).await;
    assert_eq!((empty.code, empty.out.as_str()), (0, "0 uploads wait, 0 bytes\n"), "{empty:?}");
    buffered.with_samples_of(&["SHOWN", "DROPPED", "LEFT"]).await;
    let mut redis = buffered.redis.connection().await;
    let later = append(&mut redis, "vitals:upload:{63}", b"\xffof a later release").await;

    let status = buffered.status().await;
    assert_eq!((&status["uploads"], &status["refusal"]), (&json!(4), &Value::Null), "{status}");
    let streams = status["streams"].as_array().expect("streams");
    assert!(streams.iter().all(|stream| stream["bytes"].as_u64() > Some(0)), "{status}");
    let shown = buffered.run(&["buffer", "status"]).await.out;
    assert!(shown.starts_with("4 uploads wait, "), "{shown}");

    let mut id_of_dropped = None;
    for stream in streams {
        let id = stream["oldest_id"].as_str().expect("an id");
        assert!(shown.contains(id), "{shown}");
        let inspected = buffered.run(&["buffer", "inspect", id]).await;
        if id == format!("63:{later}") {
            assert!(inspected.code != 0 && inspected.err.contains("of a later release"), "{inspected:?}");
            continue;
        }
        let upload: Value = serde_json::from_str(&inspected.out).expect("JSON");
        assert_eq!(upload["source"], "health", "{inspected:?}");
        if upload["content"]["body"].as_str().expect("a body").contains("DROPPED") {
            id_of_dropped = Some(id.to_owned());
        }
    }
    let id = id_of_dropped.expect("it is the oldest of its stream");
    for id in [id.as_str(), &format!("63:{later}")] {
        let refused = buffered.run(&["buffer", "drop", id]).await;
        assert!(refused.code != 0 && refused.err.contains("nothing was done"), "{refused:?}");
        assert_eq!(buffered.run(&["buffer", "drop", id, "--yes"]).await.out, "deleted\n");
        let gone = buffered.run(&["buffer", "inspect", id]).await;
        assert!(gone.code != 0 && gone.err.contains("there is no upload"), "{gone:?}");
    }
    let drained = buffered.run(&["buffer", "drain"]).await;
    assert_eq!((drained.code, drained.out.as_str()), (0, "nothing is left in the buffer\n"), "{drained:?}");
    assert_eq!(uploads_in(&mut redis).await, 0);
    assert_eq!(
        buffered.count("select count(*) from health_data where device_sn in ('SHOWN', 'LEFT')").await,
        2
    );
    assert_eq!(buffered.count("select count(*) from health_data").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_what_waited_in_the_buffer_too() {
    let Some(buffered) = Buffered::new().await else { return };
    buffered.with_samples_of(&["ERASED", "KEPT"]).await;
    let dry = buffered.run(&["erase", "device", "ERASED", "--dry-run", "--if-known"]).await;
    assert_eq!(dry.code, 0, "it waits for nothing: {dry:?}");
    let variables = buffered.variables();
    let mut erasing =
        command(&buffered.database, &["erase", "device", "ERASED", "--yes", "--actor", "tests"])
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it can be run");
    let mut lines = BufReader::new(erasing.stderr.take().expect("piped")).lines();
    let first = lines.next_line().await.expect("read").expect("a line");
    assert!(first.contains("waiting until the uploads in the buffer are stored"), "{first}");
    let service = buffered.service().await;
    let output = erasing.wait_with_output().await.expect("it ends");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && out.contains("health_data"), "{out}");
    buffered.drained().await;
    service.drained().await;
    assert_eq!(buffered.count("select count(*) from health_data where device_sn = 'ERASED'").await, 0);
    assert_eq!(buffered.count("select count(*) from health_data where device_sn = 'KEPT'").await, 1);
    service.finish().await;
}
