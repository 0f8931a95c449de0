//! Who is told, when: routes, managers, silences, quiet hours, escalations, ends.

use serde_json::json;

use super::house::House;
use crate::harness::{Receiver, Reply};

/// Tenant 100 with units 200 below it and 300 below that; user 1 in 300.
const UNITS: &str = "
    insert into org_unit (org_id, ancestors) values (100, '{0}'), (200, '{0,100}'), (300, '{0,100,200}'), (400, '{}');
    insert into app_user (user_id, org_id) values (1, 300);";

impl House {
    /// An alert of user 1 in unit 300; gives its number. Nobody is told yet.
    async fn raise(&self, device: &str, severity: &str, more: &str) -> i64 {
        let alert_id: i64 = self
            .sql
            .query_one(
                "insert into alert (device_sn, rule_id, rule_version, kind, severity, customer_id, org_id, user_id,
                                    started_ts, fired_ts, last_ts, judged_ts, message)
                 values ($1, 1, 1, 'threshold', $2, 100, 300, 1, now(), now(), now(), now(), $1)
                 returning alert_id",
                &[&device, &severity],
            )
            .await
            .expect("an alert")
            .get(0);
        if !more.is_empty() {
            self.run(&format!("update alert set {more} where alert_id = {alert_id}")).await;
        }
        alert_id
    }

    /// Raises one and tells; gives the addresses that hear of it.
    async fn notified_addresses(&self, severity: &str, more: &str) -> Vec<String> {
        self.run("delete from alert").await;
        let alert_id = self.raise("SN-1", severity, more).await;
        self.notify(&[alert_id], "fired").await;
        let rows = self
            .sql
            .query("select distinct address from notification order by 1", &[])
            .await
            .expect("addresses");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test]
async fn a_route_takes_the_alerts_of_its_tenant_unit_rule_and_severity() {
    let house = House::new().await;
    house.run(UNITS).await;
    for (name, condition) in [
        ("any", "enabled = true"),
        ("off", "enabled = false"),
        ("tenant", "customer_id = 100"),
        ("other-tenant", "customer_id = 400"),
        ("unit", "org_id = 300"),
        ("unit-above", "org_id = 200"),
        ("other-unit", "org_id = 400"),
        ("rule", "rule_id = 1"),
        ("other-rule", "rule_id = 3"),
        ("major-and-above", "min_severity = 'major'"),
        ("critical-only", "min_severity = 'critical'"),
    ] {
        let contact = house.contact("webhook", name).await;
        house.route("webhook", contact, condition).await;
    }
    let told = house.notified_addresses("major", "").await;
    assert_eq!(told, ["any", "major-and-above", "rule", "tenant", "unit", "unit-above"]);
    let told = house.notified_addresses("critical", "org_id = 999, customer_id = null").await;
    assert_eq!(told, ["any", "critical-only", "major-and-above", "rule"], "a unit nobody knows");
    assert_eq!(house.notified_addresses("critical", "historical = true").await, [""; 0], "late: nobody");
}

#[tokio::test]
async fn what_an_operator_pastes_from_the_readme_works() {
    let house = House::new().await;
    house.run(UNITS).await;
    house.run("insert into app_user (user_id, org_id) values (42, 300)").await;
    let readme = include_str!("../../../src/notify/README.md");
    let (_, sql) = readme.split_once("```sql\n").expect("a block");
    house.run(sql.split("```").next().expect("its end")).await;
    assert_eq!(
        house.notified_addresses("major", "user_id = 42").await,
        ["his-openid", "https://his.example.org/alerts", "zhang"]
    );
    house.run("delete from alert").await;
    let silenced = house.raise("CRFTQ23409001890", "critical", "").await;
    house.notify(&[silenced], "fired").await;
    assert_eq!(house.rows().await, [""; 0]);
}

#[tokio::test]
async fn one_address_hears_of_an_alert_once_however_many_routes_lead_to_it() {
    let house = House::new().await;
    house.run(UNITS).await;
    let contact = house.contact("webhook", "nurse").await;
    house.route("webhook", contact, "").await;
    house.route("webhook", contact, "org_id = 300").await;
    let again = house.contact("webhook", "nurse").await;
    house.route("webhook", again, "").await;
    let alert_id = house.raise("SN-1", "major", "").await;
    house.notify(&[alert_id], "fired").await;
    house.notify(&[alert_id], "fired").await;
    assert_eq!(house.rows().await, ["fired webhook nurse pending"]);
}

#[tokio::test]
async fn managers_are_those_of_the_unit_else_of_the_nearest_above_that_can_be_reached_so() {
    let house = House::new().await;
    house.run(UNITS).await;
    let top = house.contact("webhook", "top").await;
    let middle = house.contact("webhook", "middle").await;
    let near = house.contact("email", "near@example.org").await;
    house.run(&format!("insert into org_manager values (100, {top}), (200, {middle}), (300, {near})")).await;
    house
        .run(
            "insert into notification_route (channel, audience) values ('webhook', 'managers'), ('email', 'managers')",
        )
        .await;
    let told = house.notified_addresses("major", "").await;
    assert_eq!(told, ["middle", "near@example.org"], "the manager of 300 has no webhook");
    house.run(&format!("update contact_address set enabled = false where contact_id = {middle}")).await;
    assert_eq!(house.notified_addresses("major", "").await, ["near@example.org", "top"]);
}

#[tokio::test]
async fn a_wearer_is_told_of_their_own_alerts() {
    let house = House::new().await;
    house.run(UNITS).await;
    let own = house.contact("wechat", "own").await;
    house.contact("wechat", "stranger").await;
    house.run(&format!("update contact set user_id = 1 where contact_id = {own}")).await;
    house.run("insert into notification_route (channel, audience) values ('wechat', 'wearer')").await;
    assert_eq!(house.notified_addresses("minor", "").await, ["own"]);
    assert_eq!(
        house.notified_addresses("info", "").await,
        [""; 0],
        "minor and above, if the route does not say"
    );
    assert_eq!(house.notified_addresses("minor", "user_id = null").await, [""; 0]);
}

#[tokio::test]
async fn a_silence_tells_nobody_and_is_noted() {
    let house = House::new().await;
    house.run(UNITS).await;
    house.subscribe("webhook", "nurse").await;
    for (columns, values, from, until, matches) in [
        ("customer_id", "100", -60, 60, true),
        ("org_id", "200", -60, 60, true),
        ("device_sn", "'SN-1'", -60, 60, true),
        ("rule_id", "1", -60, 60, true),
        ("org_id, device_sn", "200, 'SN-1'", -60, 60, true),
        ("org_id", "400", -60, 60, false),
        ("org_id, device_sn", "200, 'SN-2'", -60, 60, false),
        ("device_sn", "'SN-1'", -60, -1, false),
        ("device_sn", "'SN-1'", 1, 60, false),
    ] {
        let scope = format!("{columns} {values} {from} {until}");
        house
            .run(&format!(
                "delete from alert_silence;
                 insert into alert_silence ({columns}, starts_at, ends_at, actor, note)
                 values ({values}, now() + interval '{from} minutes', now() + interval '{until} minutes', 'a nurse',
                         'maintenance')"
            ))
            .await;
        let told = house.notified_addresses("major", "").await;
        assert_eq!(told.is_empty(), matches, "{scope}");
        let noted = house
            .value("select count(*) from alert_action where action = 'silenced' and note = 'maintenance' and actor = 'a nurse'")
            .await;
        assert_eq!(noted, u8::from(matches), "{scope}");
        let shown = house.value("select count(*) > 0 from vitals.alert_change").await;
        assert_eq!(shown, true, "dashboards see it all the same");
    }
}

#[tokio::test]
async fn quiet_hours_end_by_the_clock_of_their_zone_over_midnight_and_when_it_is_changed() {
    let house = House::new().await;
    for (instant, from, until, zone, expected) in [
        ("2026-01-05 12:00+00", "22:00", "07:00", "UTC", "2026-01-05 12:00+00"),
        ("2026-01-05 21:59:59+00", "22:00", "07:00", "UTC", "2026-01-05 21:59:59+00"),
        ("2026-01-05 22:00+00", "22:00", "07:00", "UTC", "2026-01-06 07:00+00"),
        ("2026-01-06 06:59+00", "22:00", "07:00", "UTC", "2026-01-06 07:00+00"),
        ("2026-01-06 07:00+00", "22:00", "07:00", "UTC", "2026-01-06 07:00+00"),
        ("2026-01-05 13:30+00", "12:00", "14:00", "UTC", "2026-01-05 14:00+00"),
        ("2026-01-05 14:00+00", "12:00", "14:00", "UTC", "2026-01-05 14:00+00"),
        ("2026-01-05 15:00+00", "22:00", "07:00", "Asia/Shanghai", "2026-01-05 23:00+00"),
        // The night of the change to summer time has an hour less, that of the change back one more.
        ("2026-03-28 22:00+00", "22:00", "07:00", "Europe/Berlin", "2026-03-29 05:00+00"),
        ("2026-10-24 21:00+00", "22:00", "07:00", "Europe/Berlin", "2026-10-25 06:00+00"),
        // They end at an hour that does not exist, and at one that comes twice, of which the second is running.
        ("2026-03-29 00:30+00", "22:00", "02:30", "Europe/Berlin", "2026-03-29 01:30+00"),
        ("2026-10-25 01:15+00", "22:00", "02:30", "Europe/Berlin", "2026-10-25 01:30+00"),
    ] {
        let query = format!(
            "select vitals.after_quiet_hours('{instant}', '{from}', '{until}', '{zone}') = timestamptz '{expected}'"
        );
        assert_eq!(house.value(&query).await, true, "{instant} {from} {until} {zone}");
    }
}

#[tokio::test]
async fn a_zone_that_does_not_exist_is_refused() {
    let house = House::new().await;
    let contact = house.contact("webhook", "nurse").await;
    let route = house.route("webhook", contact, "time_zone = 'Asia/Shanghai'").await;
    for zone in ["Asia/Atlantis", "CST", "UTC+8", "Atlantis"] {
        let statement = "update notification_route set time_zone = $1 where route_id = $2";
        let refusal = house.sql.execute(statement, &[&zone, &route]).await.expect_err(zone);
        assert_eq!(refusal.code().map(|code| code.code()), Some("23514"), "{zone}");
    }
}

#[tokio::test]
async fn in_quiet_hours_only_what_is_critical_goes_at_once() {
    let house = House::new().await;
    house.run(UNITS).await;
    let contact = house.contact("webhook", "nurse").await;
    let quiet = "quiet_from = (now() at time zone 'UTC' - interval '1 hour')::time,
                 quiet_until = (now() at time zone 'UTC' + interval '1 hour')::time, time_zone = 'UTC'";
    house.route("webhook", contact, quiet).await;
    let waits = "select round(extract(epoch from max(due_at) - now()) / 60) from notification";
    house.notified_addresses("major", "").await;
    assert_eq!(house.value(waits).await, 60);
    house.notified_addresses("critical", "").await;
    assert_eq!(house.value(waits).await, 0);
}

#[tokio::test]
async fn an_escalation_goes_when_nobody_has_acknowledged_and_only_then() {
    let house = House::new().await;
    house.run(UNITS).await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    let contact = house.contact("webhook", &receiver.url()).await;
    house.run("update contact set name = 'the head nurse'").await;
    house.route("webhook", contact, "after_seconds = 300").await;
    let service = house.serve(|_| ()).await;
    let (taken, over, left) = (
        house.raise("SN-1", "critical", "").await,
        house.raise("SN-2", "critical", "").await,
        house.raise("SN-3", "critical", "").await,
    );
    house.notify(&[taken, over, left], "fired").await;
    assert_eq!(receiver.requests().len(), 0, "not at once");
    house.acknowledge(&[taken]).await;
    house.resolve(&[over]).await;
    assert_eq!(house.steps().await, [format!("{left} 0")], "the others have none");
    house.due_now().await;
    let seen = receiver.received("/", 1).await;
    house.until("sent", 1).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].body["type"], "alert.escalated");
    assert_eq!(seen[0].body["data"]["alerts"][0]["alert_id"], left.to_string());
    let noted = house.value(
        "select json_agg(json_build_array(alert_id, note)) from alert_action where action = 'escalated'",
    );
    assert_eq!(noted.await, json!([[left, "webhook: the head nurse"]]));
    assert_eq!(house.steps().await, [""; 0]);
    service.finish().await;
}

#[tokio::test]
async fn the_end_of_an_alert_is_told_to_those_who_heard_of_it_and_want_to_know() {
    let house = House::new().await;
    house.run(UNITS).await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    let mut contacts = Vec::new();
    for path in ["both", "beginning", "later"] {
        contacts.push(house.contact("webhook", &format!("{}/{path}", receiver.url())).await);
    }
    house.route("webhook", contacts[0], "on_resolved = true").await;
    house.route("webhook", contacts[1], "").await;
    house.route("webhook", contacts[2], "on_resolved = true, after_seconds = 3600").await;
    let service = house.serve(|_| ()).await;
    let alert_id = house.raise("SN-1", "major", "").await;
    house.notify(&[alert_id], "fired").await;
    house.until("sent", 2).await;
    house.resolve(&[alert_id]).await;
    house.until("sent", 3).await;
    let told: Vec<String> = receiver
        .requests()
        .iter()
        .map(|seen| format!("{} {}", seen.path, seen.body["type"].as_str().expect("a type")))
        .collect();
    assert_eq!(told.iter().filter(|told| *told == "/both alert.resolved").count(), 1, "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    service.finish().await;
}

#[tokio::test]
async fn an_address_that_is_no_longer_used_and_a_silence_meanwhile_cancel_what_waits() {
    let house = House::new().await;
    house.run(UNITS).await;
    let receiver = Receiver::start(|_| Reply::Status(200)).await;
    let gone = house.contact("webhook", &format!("{}/gone", receiver.url())).await;
    let kept = house.contact("webhook", &format!("{}/kept", receiver.url())).await;
    house.route("webhook", gone, "").await;
    house.route("webhook", kept, "").await;
    let alert_id = house.raise("SN-1", "major", "").await;
    house.notify(&[alert_id], "fired").await;
    house.run(&format!("update contact_address set enabled = false where contact_id = {gone}")).await;
    house
        .run("insert into alert_silence (device_sn, ends_at, actor) values ('SN-1', now() + interval '1 hour', 'a nurse')")
        .await;
    let service = house.serve(|_| ()).await;
    house.until("cancelled", 2).await;
    assert_eq!(receiver.requests().len(), 0);
    service.finish().await;
}
