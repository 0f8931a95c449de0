//! A house with people, routes and alerts, written by SQL as an operator and the evaluation do.

use serde_json::Value;
use tokio_postgres::Client;
use vitals::config::Settings;

use crate::harness::{Database, Service, eventually};

pub struct House {
    pub database: Database,
    pub sql: Client,
}

impl House {
    pub async fn new() -> Self {
        let database = Database::new().await;
        let sql = database.client().await;
        Self { database, sql }
    }

    /// A service that looks often, merges nothing and may tell loopback.
    pub async fn serve(&self, change: impl FnOnce(&mut Settings)) -> Service {
        Service::start_with(&self.database, |settings| {
            settings.poll_interval_ms = 50;
            settings.notify.merge_seconds = 0;
            settings.notify.webhook_allow_private = true;
            change(settings);
        })
        .await
    }

    pub async fn run(&self, statement: &str) {
        self.sql.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }

    /// Somebody who can be reached; gives the number.
    pub async fn contact(&self, channel: &str, address: &str) -> i64 {
        let contact_id: i64 = self
            .sql
            .query_one("insert into contact (name) values ($1) returning contact_id", &[&address])
            .await
            .expect("a contact")
            .get(0);
        self.sql
            .execute(
                "insert into contact_address (contact_id, channel, address) values ($1, $2, $3)",
                &[&contact_id, &channel, &address],
            )
            .await
            .expect("an address");
        contact_id
    }

    /// Tells somebody of everything; `more` are columns and values of the route, such as `on_resolved = true`.
    pub async fn route(&self, channel: &str, contact_id: i64, more: &str) -> i64 {
        let route_id: i64 = self
            .sql
            .query_one(
                "insert into notification_route (channel, audience, contact_id, min_severity)
                 values ($1, 'contact', $2, 'info') returning route_id",
                &[&channel, &contact_id],
            )
            .await
            .expect("a route")
            .get(0);
        if !more.is_empty() {
            self.run(&format!("update notification_route set {more} where route_id = {route_id}")).await;
        }
        route_id
    }

    /// Somebody who is told of everything at once.
    pub async fn subscribe(&self, channel: &str, address: &str) {
        let contact_id = self.contact(channel, address).await;
        self.route(channel, contact_id, "").await;
    }

    /// Raises an alert of each device; gives the numbers.
    pub async fn fire(&self, devices: &[&str], severity: &str) -> Vec<i64> {
        let devices: Vec<&str> = devices.to_vec();
        let rows = self
            .sql
            .query(
                "insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, customer_id, user_id,
                                    started_ts, fired_ts, last_ts, judged_ts, last_value, peak_value, message)
                 select sn, 1, 1, 'threshold', $2, 'heart_rate', 7, 9007199254740993, now(), now(), now(), now(), 150, 150,
                        sn || ': heart rate 150'
                 from unnest($1::text[]) as sn
                 returning alert_id",
                &[&devices, &severity],
            )
            .await
            .expect("alerts");
        let alert_ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        self.notify(&alert_ids, "fired").await;
        alert_ids
    }

    /// What the evaluation calls.
    pub async fn notify(&self, alert_ids: &[i64], kind: &str) {
        self.sql
            .execute("select vitals.notify_alerts($1, $2)", &[&alert_ids, &kind])
            .await
            .expect("notified");
        self.run("notify vitals_notification").await;
    }

    pub async fn resolve(&self, alert_ids: &[i64]) {
        self.sql
            .execute(
                "update alert set status = 'resolved', resolved_at = clock_timestamp(), resolution = 'recovered',
                     updated_at = clock_timestamp()
                 where alert_id = any ($1)",
                &[&alert_ids],
            )
            .await
            .expect("resolved");
        self.notify(alert_ids, "resolved").await;
    }

    pub async fn acknowledge(&self, alert_ids: &[i64]) {
        self.sql
            .execute(
                "update alert set status = 'acknowledged', acknowledged_at = clock_timestamp(),
                     acknowledged_by = 'a nurse', updated_at = clock_timestamp()
                 where alert_id = any ($1)",
                &[&alert_ids],
            )
            .await
            .expect("acknowledged");
        self.notify(alert_ids, "acknowledged").await;
    }

    /// All steps are due now.
    pub async fn due_now(&self) {
        self.run(
            "update vitals.notification_step set due_at = clock_timestamp(); notify vitals_notification",
        )
        .await;
    }

    /// Does the steps that are due, as the service does.
    pub async fn do_steps(&self) {
        self.run("select vitals.notify_due_steps(500)").await;
    }

    /// All steps, as text: `alert times`.
    pub async fn steps(&self) -> Vec<String> {
        let rows = self
            .sql
            .query("select format('%s %s', alert_id, times) from vitals.notification_step order by 1", &[])
            .await
            .expect("steps");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// All notifications, as text: `kind channel address status`.
    pub async fn rows(&self) -> Vec<String> {
        let rows = self
            .sql
            .query(
                "select format('%s %s %s %s', kind, channel, address, status) from notification order by 1",
                &[],
            )
            .await
            .expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until so many notifications have a status.
    pub async fn until(&self, status: &str, count: i64) {
        eventually(&format!("{count} notifications are {status}"), || async {
            let row = self
                .sql
                .query_one("select count(*) from notification where status = $1", &[&status])
                .await
                .expect("a count");
            (row.get::<_, i64>(0) >= count).then_some(())
        })
        .await;
    }

    /// One value of one row.
    pub async fn value(&self, query: &str) -> Value {
        let query = format!("select to_jsonb(({query}))");
        let row = self.sql.query_one(&query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        row.get::<_, Option<Value>>(0).unwrap_or_default()
    }
}

/// The alerts of a webhook's body.
pub fn alert_ids(body: &Value) -> Vec<i64> {
    body["data"]["alerts"]
        .as_array()
        .expect("alerts")
        .iter()
        .map(|alert| alert["alert_id"].as_str().expect("text").parse().expect("a number"))
        .collect()
}
