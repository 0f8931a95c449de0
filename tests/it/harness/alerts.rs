//! Alerts as rows of the table, without anything that raises them; a rule that raises some, and a webhook that is notified.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::Receiver;

/// Disables every rule but a new one: a heart rate above `max_value`, so often in a row; a reading below it ends the alert after as many.
pub async fn only_rule(client: &Client, max_value: i32, consecutive: i32) {
    let sql = format!(
        "update alert_rule set enabled = false;
         insert into alert_rule
             (name, kind, severity, metric, max_value, consecutive, recovery_count, cooldown_seconds, late_after_seconds)
         values ('Only', 'threshold', 'major', 'heart_rate', {max_value}, {consecutive}, {consecutive}, 0, 86400)"
    );
    client.batch_execute(&sql).await.expect("a rule");
}

/// Notifies the receiver of every alert.
pub async fn notify_of_all(client: &Client, receiver: &Receiver) {
    let sql = format!(
        "insert into contact (name) values ('receiver');
         insert into contact_address (contact_id, channel, address) select contact_id, 'webhook', '{}/' from contact;
         insert into notification_route (channel, audience, contact_id) select 'webhook', 'contact', contact_id from contact",
        receiver.url()
    );
    client.batch_execute(&sql).await.expect("a route");
}

/// Adds an alert of a rule for a device, fired `minutes_ago`, and gives its id. Columns that are not in `columns` are those of an
/// open alert of a heart rate.
pub async fn add_alert(
    client: &Client,
    rule_id: i64,
    device_sn: &str,
    minutes_ago: i32,
    columns: &Value,
) -> i64 {
    let mut row = json!({ "status": "firing", "historical": false, "breach_count": 3, "last_value": 152, "peak_value": 161.5 });
    let overrides = columns.as_object().expect("an object").clone();
    row.as_object_mut().expect("an object").extend(overrides);
    let sql = "insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, event_type, customer_id, org_id,
                   user_id, status, historical, started_ts, fired_ts, last_ts, judged_ts, breach_count, last_value, peak_value,
                   message, resolved_at, resolution)
               select $1, rule.rule_id, rule.version, rule.kind, coalesce(overrides.severity, rule.severity), rule.metric,
                   rule.event_type, overrides.customer_id, overrides.org_id, overrides.user_id, overrides.status, overrides.historical,
                   fired.ts, fired.ts, fired.ts, fired.ts, overrides.breach_count, overrides.last_value, overrides.peak_value,
                   $1 || ': ' || rule.name, case overrides.status when 'resolved' then now() end,
                   case overrides.status when 'resolved' then 'recovered' end
               from alert_rule rule, jsonb_populate_record(null::alert, $4) overrides,
                   lateral (select now() - make_interval(mins => $3)) as fired (ts)
               where rule.rule_id = $2
               returning alert_id";
    client.query_one(sql, &[&device_sn, &rule_id, &minutes_ago, &row]).await.expect("an alert").get(0)
}
