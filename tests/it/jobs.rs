//! The jobs of TimescaleDB are watched: what is wrong with one is told by `vitals check`, `/api/health`, `/metrics` and to operators,
//! with what to do. So is a refresh of the rollups that does not come, on both editions. The Apache edition has no jobs: there the
//! same tests hold that nothing is told of them.

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::store::migrate;
use vitals::store::rollups::{self, Edition};

use crate::harness::{CommandOutput, Database, Login, Process, Service, command, eventually, vitals};

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn edition(client: &Client) -> Edition {
    rollups::edition(client).await.expect("an edition")
}

/// Stops the scheduler of this database, and waits for the end of what it has begun.
async fn stop_scheduler(client: &Client) {
    run(client, "select _timescaledb_functions.stop_background_workers()").await;
    eventually("no job runs", async || {
        let sql = "select count(*) from pg_stat_activity where datname = current_database()
             and backend_type ~ '^(TimescaleDB|User-Defined|Job History|Telemetry|Columnstore)'";
        (client.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) == 0).then_some(())
    })
    .await;
}

/// What `check` says of something, with its verdict.
fn line<'a>(said: &'a CommandOutput, of: &str) -> Option<&'a str> {
    said.out.lines().find(|line| line.split_once(": ").is_some_and(|(head, _)| head[6..] == *of))
}

async fn get(url: &str, path: &str) -> Value {
    let answer = reqwest::get(format!("{url}{path}")).await.expect("an answer");
    answer.json().await.expect("JSON")
}

/// The component of `/api/health` once it is so.
async fn component(url: &str, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), async || {
        let part = get(url, "/api/health").await["components"][name].clone();
        (part["status"] == status).then_some(part)
    })
    .await
}

/// The alert of a name once its status is so.
async fn alert(url: &str, name: &str, status: &str) -> Value {
    eventually(&format!("{name} is {status}"), async || {
        let alerts = get(url, "/api/system_alerts").await["alerts"].as_array().cloned().unwrap_or_default();
        alerts.into_iter().find(|alert| alert["name"] == name && alert["status"] == status)
    })
    .await
}

/// Looks often, and tells at once.
const IMPATIENT: [(&str, &str); 2] =
    [("VITALS_MONITOR_INTERVAL_MS", "50"), ("VITALS_MONITOR_ALERT_AFTER_SECONDS", "0")];

/// A service without jobs says nothing of them.
async fn nothing_is_told_of_jobs(database: &Database) {
    let process = Process::serve(database, &IMPATIENT).await;
    component(&process.url, "rollups", "up").await;
    assert_eq!(get(&process.url, "/api/health").await["components"]["jobs"], Value::Null);
    let alerts = get(&process.url, "/api/system_alerts").await.to_string();
    assert!(!alerts.contains("jobs") && !alerts.contains("rollups_late"), "{alerts}");
    let metrics = reqwest::get(format!("{}/metrics", process.url)).await.expect("an answer");
    assert!(!metrics.text().await.expect("text").contains("vitals_jobs{"));
    let check = vitals(database, &["check"]).await;
    assert!(check.code == 0 && !check.out.contains("job"), "{check:?}");
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn a_dead_scheduler_is_told_of_and_what_goes_on_without_it() {
    let database = Database::new().await;
    let client = database.client().await;
    stop_scheduler(&client).await;
    if edition(&client).await == Edition::Apache {
        return nothing_is_told_of_jobs(&database).await;
    }
    run(
        &client,
        // One that was at work when it was stopped counts as crashed, and TimescaleDB lets it rest for five minutes.
        "update _timescaledb_internal.bgw_job_stat set
             last_finish = now() - interval '1 hour', next_start = now() - interval '400 s', consecutive_crashes = 0",
    )
    .await;
    let process = Process::serve(&database, &IMPATIENT).await;
    let url = &process.url;
    let told = component(url, "jobs", "late").await["reasons"].to_string();
    for word in [
        "refresh_rollups_job should have begun 4",
        "apply_policies_job",
        "start_background_workers()",
        "what is old is dropped and compressed all the same",
    ] {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
    assert!(told.contains("late rows reach the rollups all the same"), "{told}");
    component(url, "rollups", "up").await;
    let overdue: i64 = client
        .query_one("select count(*) from vitals.watched_jobs() where state = 'overdue'", &[])
        .await
        .expect("a count")
        .get(0);
    assert!(overdue >= 2, "{overdue}");
    let alert_ = alert(url, "jobs", "firing").await;
    assert_eq!((&alert_["severity"], &alert_["value"]), (&json!("major"), &json!(overdue as f64)));
    assert!(alert_["message"].as_str().expect("text").contains("start_background_workers()"), "{alert_}");
    let metrics =
        reqwest::get(format!("{url}/metrics")).await.expect("an answer").text().await.expect("text");
    for figure in [
        &format!("vitals_jobs{{state=\"overdue\"}} {overdue}"),
        "vitals_jobs{state=\"failed\"} 0",
        "vitals_rollup_refresh_due_seconds 0",
    ] {
        assert!(metrics.contains(figure), "{figure}: {metrics}");
    }
    let check = vitals(&database, &["check"]).await;
    let said = line(&check, "job refresh_rollups_job").expect("a line");
    assert!(
        check.code == 1 && said.starts_with("BAD") && said.contains("start_background_workers"),
        "{check:?}"
    );

    // It does not matter here whether the server is one on which every job ends in an error after its work.
    run(&client, "select _timescaledb_functions.start_background_workers()").await;
    component(url, "jobs", "up").await;
    alert(url, "jobs", "resolved").await;
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn a_job_that_fails_is_told_of_in_the_words_of_the_server_without_the_row() {
    let database = Database::new().await;
    let client = database.client().await;
    run(
        &client,
        "create procedure vitals.keep_archive(job_id integer, config jsonb) language plpgsql as $$
         begin
             raise exception 'the archive is full' using detail = 'Failing row contains (heart rate 177).';
         end $$;
         revoke execute on procedure vitals.keep_archive from public",
    )
    .await;
    let add = "select add_job('vitals.keep_archive', interval '100 milliseconds', fixed_schedule => false)";
    if edition(&client).await == Edition::Apache {
        assert!(client.execute(add, &[]).await.is_err(), "the Apache edition has no jobs");
        return nothing_is_told_of_jobs(&database).await;
    }
    let id: i32 = client.query_one(add, &[]).await.expect("a job").get(0);
    let process = Process::serve(&database, &IMPATIENT).await;
    let url = &process.url;
    let told = component(url, "jobs", "late").await["reasons"].to_string();
    assert!(told.contains("keep_archive failed ") && told.contains("times in a row"), "{told}");
    assert!(told.contains("the archive is full") && told.contains(&format!("call run_job({id})")), "{told}");
    assert!(!told.contains("177"), "{told}");
    alert(url, "jobs", "firing").await;
    let check = vitals(&database, &["check"]).await;
    let said = line(&check, "job keep_archive").expect("a line");
    assert!(check.code == 1 && said.starts_with("BAD") && said.contains("the archive is full"), "{check:?}");
    run(&client, &format!("select delete_job({id})")).await;
    component(url, "jobs", "up").await;
    alert(url, "jobs", "resolved").await;
    process.signal("TERM");
    assert!(process.ended().await.success());
}

/// As the role of the service, which sees neither runs nor errors of the jobs of others.
#[tokio::test]
async fn a_job_off_the_schedule_or_deleted_is_told_of_and_migrate_makes_what_is_missing() {
    let database = Database::new().await;
    let client = database.client().await;
    if edition(&client).await == Edition::Apache {
        return nothing_is_told_of_jobs(&database).await;
    }
    let service = Login::of(&database, "vitals_service").await;
    let check = async || {
        let output = command(&database, &["check"]).env("VITALS_DATABASE_URL", service.url()).output().await;
        let output = output.expect("it can be run");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        CommandOutput {
            code: output.status.code().expect("a code"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    };
    run(
        &client,
        "update policy set compress_after = '9 days' where relation in ('device_info', 'health_15m')",
    )
    .await;
    let is_well = |said: &CommandOutput| {
        let wrong = said.out.lines().any(|line| line.starts_with("BAD   job"));
        said.out.contains("jobs of TimescaleDB: ") && !wrong
    };
    let well = check().await;
    assert!(is_well(&well), "{well:?}");
    let job = async |name: &str, relation: &str| -> i32 {
        let sql = "select job_id from timescaledb_information.jobs where proc_name = $1 and coalesce(hypertable_name, '') = $2";
        client.query_one(sql, &[&name, &relation]).await.expect("a job").get(0)
    };
    let refreshing = job("refresh_rollups_job", "").await;
    run(&client, &format!("select alter_job({refreshing}, scheduled => false)")).await;
    for (name, relation) in [
        ("apply_policies_job", ""),
        ("policy_compression", "device_info"),
        ("policy_compression", "health_15m"),
    ] {
        run(&client, &format!("select delete_job({})", job(name, relation).await)).await;
    }
    let missing = [
        "job apply_policies_job",
        "job policy_compression of device_info",
        "job policy_compression of health_15m",
    ];
    let bad = check().await;
    assert_eq!(bad.code, 1, "{bad:?}");
    for name in missing {
        let said = line(&bad, name).unwrap_or_else(|| panic!("{name}: {bad:?}"));
        assert!(said.starts_with("BAD") && said.contains("`vitals migrate` makes it"), "{said}");
    }
    let off = format!("select alter_job({refreshing}, scheduled => true)");
    assert!(line(&bad, "job refresh_rollups_job").expect("a line").contains(&off), "{bad:?}");

    migrate::run(&database.settings()).await.expect("migrates");
    run(&client, &off).await;
    let mended = check().await;
    assert!(is_well(&mended), "{mended:?}");

    // As TimescaleDB keeps a run that has begun: its process is known by the name of the job.
    let begun = format!(
        "update _timescaledb_internal.bgw_job_stat
         set total_runs = 1, last_finish = '-infinity', next_start = '-infinity', last_start = now() - interval '2 hours'
         where job_id = {refreshing}"
    );
    stop_scheduler(&client).await;
    run(&client, &begun).await;
    let crashed = check().await;
    let said = line(&crashed, "job refresh_rollups_job").expect("a line");
    assert!(said.starts_with("BAD") && said.contains("without a word"), "{said}");
    run(&client, &format!("set application_name = 'User-Defined Action [{refreshing}]'")).await;
    let long = check().await;
    let said = line(&long, "job refresh_rollups_job").expect("a line");
    assert!(said.starts_with("BAD") && said.contains("has run for 7"), "{said}");
}

#[tokio::test]
async fn rollups_that_nobody_refreshes_are_told_of_and_so_is_their_refresh() {
    let database = Database::new().await;
    let client = database.client().await;
    stop_scheduler(&client).await;
    let holder = database.client().await;
    run(&holder, "select pg_advisory_lock(hashtextextended('vitals.rollup.turn', 0))").await;
    let service = Service::start_with(&database, |settings| {
        settings.monitor.interval_ms = 50;
        settings.monitor.alert_after_seconds = 0;
    })
    .await;
    let url = service.url();
    // Never refreshed: that is no delay as long as there is nothing to refresh.
    run(
        &client,
        "update vitals.rollup set refreshed_at = null; update vitals.schema_state set applied_at = now() - interval '1 day'",
    )
    .await;
    component(&url, "rollups", "up").await;
    run(
        &client,
        "insert into health_data (device_sn, ts, heart_rate) values ('D1', now() - interval '1 day', 70)",
    )
    .await;
    component(&url, "rollups", "late").await;
    run(&client, "update vitals.rollup set refreshed_at = now()").await;
    component(&url, "rollups", "up").await;
    run(&client, "update vitals.rollup set refreshed_at = now() - interval '10 minutes'").await;
    let late = component(&url, "rollups", "late").await;
    assert!(late["lag_seconds"].as_f64().is_some_and(|seconds| (570.0..700.0).contains(&seconds)), "{late}");
    assert_eq!(service.get("/api/health").await.status, 503);
    let told = alert(&url, "rollups_late", "firing").await;
    assert!(told["message"].as_str().expect("text").contains("`vitals refresh`"), "{told}");
    let check = vitals(&database, &["check"]).await;
    let said = line(&check, "rollups").expect("a line");
    assert!(check.code == 0 && said.starts_with("warn") && said.contains("`vitals refresh`"), "{check:?}");

    // A policy that asks for less asks for no more.
    run(&client, "update policy set refresh_every = '15 minutes' where relation like 'health\\__%'").await;
    component(&url, "rollups", "up").await;
    run(&client, "update policy set refresh_every = '1 second' where relation like 'health\\__%'").await;
    component(&url, "rollups", "late").await;
    drop(holder);
    component(&url, "rollups", "up").await;
    alert(&url, "rollups_late", "resolved").await;
    service.finish().await;
}
