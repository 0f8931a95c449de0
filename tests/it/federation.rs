//! Several databases that are read as one (sql/federation/).

use tokio_postgres::Client;
use vitals::store::roles;

use crate::harness::{Database, Login};

const HUB: &str = include_str!("../../sql/federation/hub.sql");

/// A cell with samples of two devices over three days, and an alert.
async fn cell(name: &str) -> Database {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(&format!(
            "update vitals.cell set name = '{name}';
             insert into device (device_sn) values ('{name}-1'), ('{name}-2');
             insert into health_data (device_sn, ts, heart_rate, step)
             select '{name}-' || d, now() - make_interval(hours => h), 60 + d + h % 7, h
             from generate_series(1, 2) as d, generate_series(0, 71) as h;
             insert into alert (device_sn, rule_id, rule_version, kind, severity, status, historical, started_ts, fired_ts, last_ts,
                 judged_ts, breach_count, message)
             select '{name}-1', r.rule_id, r.version, r.kind, r.severity, 'firing', false, now(), now(), now(), now(), 1, 'high'
             from alert_rule as r where r.kind = 'threshold' limit 1"
        ))
        .await
        .expect("filled");
    client.batch_execute("call refresh_rollups()").await.expect("refreshed");
    database
}

/// A login that sees every tenant of these cells.
async fn reader(cells: &[&Database]) -> Login {
    let mut login = Login::of(cells[0], "vitals_dashboard").await;
    for cell in cells {
        roles::apply(&cell.settings()).await.expect("roles");
        login = login.sees_all_tenants(cell).await;
    }
    login
}

/// A hub over these cells.
async fn hub(cells: &[(&str, &Database)], login: &Login) -> (Database, Client) {
    let hub = Database::empty("Asia/Shanghai").await;
    let client = hub.client().await;
    client.batch_execute(HUB).await.expect("created");
    // The settings of a database hold from the next session on.
    let client = {
        drop(client);
        hub.client().await
    };
    for (name, database) in cells {
        add(&client, name, database, login).await.expect("added");
    }
    (hub, client)
}

async fn add(
    hub: &Client,
    name: &str,
    database: &Database,
    login: &Login,
) -> Result<(), tokio_postgres::Error> {
    let url: tokio_postgres::Config = database.url().parse().expect("a URL");
    let port = url.get_ports().first().expect("a port");
    let connection = format!("host=127.0.0.1 port={port} dbname={}", database.name());
    hub.execute("select federation.add_cell($1, $2, $3, $3)", &[&name, &connection, &login.name])
        .await
        .map(drop)
}

async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(&format!("select q::text from ({sql}) as q"), &[]).await.expect("rows");
    let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    rows.sort();
    rows
}

async fn plan(client: &Client, sql: &str) -> String {
    let lines = client.query(&format!("explain (verbose, costs off) {sql}"), &[]).await.expect("a plan");
    lines.iter().map(|line| line.get::<_, &str>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_hub_shows_what_the_cells_show() {
    let (north, south) = (cell("north").await, cell("south").await);
    let login = reader(&[&north, &south]).await;
    let (_hub, client) = hub(&[("north", &north), ("south", &south)], &login).await;
    for relation in [
        "health_15m",
        "health_hourly",
        "health_daily",
        "health_weekly",
        "health_monthly",
        "device",
        "latest",
        "alert",
        "sleep_night",
    ] {
        // Columns may be in another order.
        let sql = format!("select cell, to_jsonb(x) - 'day' from dashboard.{relation} as x");
        let mut expected = rows(&north.client().await, &sql).await;
        expected.extend(rows(&south.client().await, &sql).await);
        expected.sort();
        assert_eq!(rows(&client, &sql).await, expected, "{relation}");
        assert_eq!(expected.is_empty(), relation == "sleep_night");
    }
    let cells = rows(&client, "select cell from federation.cell").await;
    assert_eq!(cells, ["(north)", "(south)"]);
}

#[tokio::test]
async fn time_ranges_and_aggregates_are_computed_in_the_cells_at_the_same_time() {
    let (north, south) = (cell("north").await, cell("south").await);
    let login = reader(&[&north, &south]).await;
    let (_hub, client) = hub(&[("north", &north), ("south", &south)], &login).await;

    let days = "select cell, day, sum(samples) from dashboard.health_daily
                where bucket >= (select now() - interval '30 days') group by cell, day";
    let days_plan = plan(&client, days).await;
    assert_eq!(days_plan.matches("GROUP BY").count(), 2, "{days_plan}");
    assert_eq!(days_plan.matches("bucket >= $1").count(), 2, "{days_plan}");
    assert_eq!(days_plan.matches("Async Foreign Scan").count(), 2, "{days_plan}");
    let own = rows(&north.client().await, days).await;
    let found = rows(&client, days).await;
    assert!(!own.is_empty() && own.iter().all(|row| found.contains(row)), "{own:?} {found:?}");

    let one = "select * from dashboard.health_hourly where cell = 'south' and bucket >= '2026-01-01Z'";
    let one_plan = plan(&client, one).await;
    assert!(one_plan.contains("bucket >= '2026-01-01") && !one_plan.contains("north"), "{one_plan}");
}

#[tokio::test]
async fn cells_are_added_changed_and_removed_and_a_wrong_name_is_refused() {
    let (north, south) = (cell("north").await, cell("south").await);
    let login = reader(&[&north, &south]).await;
    let (_hub, client) = hub(&[("north", &north)], &login).await;
    for (name, words) in [("west", "it is cell \"south\", not \"west\""), ("We st", "lower-case letters")] {
        let error = add(&client, name, &south, &login).await.expect_err("refused");
        let message = error.as_db_error().expect("from the server").message();
        assert!(message.contains(words), "{message}");
    }
    let devices = "select cell, count(*) from dashboard.device group by cell";
    assert_eq!(rows(&client, devices).await, ["(north,2)"]);
    add(&client, "south", &south, &login).await.expect("added");
    add(&client, "north", &north, &login).await.expect("changed");
    // Again changes nothing.
    client.batch_execute(HUB).await.expect("created");
    assert_eq!(rows(&client, devices).await, ["(north,2)", "(south,2)"]);
    client.execute("select federation.drop_cell('north')", &[]).await.expect("removed");
    assert_eq!(rows(&client, devices).await, ["(south,2)"]);
}

#[tokio::test]
async fn a_hub_shows_the_tenants_of_its_login_alone() {
    let north = cell("north").await;
    let login = Login::of(&north, "vitals_dashboard").await;
    let (_hub, client) = hub(&[("north", &north)], &login).await;
    assert_eq!(rows(&client, "select cell from dashboard.device").await, Vec::<String>::new());
}
