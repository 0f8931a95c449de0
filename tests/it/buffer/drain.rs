//! Draining: by several instances, through the death of one, without a group, around what cannot be read.

use super::{Buffered, assert_answered, now, sample, upload, uploads_in};
use crate::harness::{Process, eventually};

const DEVICES: i64 = 40;
const SAMPLES: i64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_killed_while_it_drains_loses_nothing_and_another_drains_the_rest() {
    let Some(buffered) = Buffered::new().await else { return };
    let variables = buffered.variables();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let first = Process::serve(&buffered.database, &variables).await;
    let second = buffered.service().await;
    buffered.link.cut();
    let began = now();
    let http = reqwest::Client::new();
    let url = format!("{}/upload_health_data", first.url);
    let uploads = (0..DEVICES).map(async |device| {
        for number in 0..SAMPLES {
            let sent = sample(&format!("KILLED-{device}"), 70, began - number).to_string();
            let answer = http.post(&url).body(sent).send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
        }
    });
    futures_util::future::join_all(uploads).await;
    buffered.link.restore();
    eventually("a part is drained", || async {
        (buffered.count("select count(*) from health_data").await > 0).then_some(())
    })
    .await;
    first.signal("KILL");
    buffered.count_becomes("select count(*) from health_data", DEVICES * SAMPLES).await;
    buffered.drained().await;
    first.ended().await;
    second.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_lost_is_created_from_the_first_upload_on() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service().await;
    buffered.link.cut();
    let began = now();
    for number in 0..10 {
        let sent = sample(&format!("GROUP-{number}"), 70, began);
        assert_answered(&upload(&service, &[sent]).await, "buffered");
    }
    let mut redis = buffered.redis.connection().await;
    for partition in 0..64 {
        let mut destroy = redis::cmd("XGROUP");
        destroy.arg("DESTROY").arg(format!("vitals:upload:{{{partition}}}")).arg("drain");
        destroy.exec_async(&mut redis).await.expect("destroyed");
    }
    buffered.link.restore();
    buffered.count_becomes("select count(*) from health_data", 10).await;
    buffered.drained().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_program_has_written_is_kept_as_rejected_and_what_a_later_one_has_written_stays() {
    let Some(buffered) = Buffered::new().await else { return };
    let service = buffered.service().await;
    let mut redis = buffered.redis.connection().await;
    for (partition, upload) in [(1, &b"\x01no zstd"[..]), (2, &b"\xffof a later release"[..])] {
        let mut add = redis::cmd("XADD");
        add.arg(format!("vitals:upload:{{{partition}}}")).arg("*").arg("upload").arg(upload);
        add.exec_async(&mut redis).await.expect("added");
    }
    let rejected =
        "select count(*) from rejected_upload where source = 'buffer' and body = '016e6f207a737464'";
    buffered.count_becomes(rejected, 1).await;
    eventually("only the other one is left", || async {
        (uploads_in(&mut buffered.redis.connection().await).await == 1).then_some(())
    })
    .await;
    service.finish().await;
}
