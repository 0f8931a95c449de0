//! Who is on duty, to whom an alert is assigned, and routes: through SQL, HTTP and the command line.

use serde_json::{Value, json};

use super::house::House;
use crate::harness::vitals;

/// Ward 300 in 200 in tenant 100, and another tenant. Contacts `day`, `night`, `top` and `stranger`, the manager of 300 is `head`.
const WARD: &str = "
    insert into org_unit (org_id, ancestors) values (100, '{0}'), (200, '{0,100}'), (300, '{0,100,200}'), (400, '{}');
    insert into app_user (user_id, org_id) values (1, 300);
    insert into contact (name) values ('day'), ('night'), ('top'), ('head'), ('stranger');
    insert into contact_address (contact_id, channel, address) select contact_id, 'webhook', name from contact;
    insert into org_manager select 300, contact_id from contact where name = 'head';
    insert into org_manager select 400, contact_id from contact where name = 'stranger';
    insert into notification_route (channel, audience, min_severity, repeat_seconds) values ('webhook', 'on_duty', 'info', 300);";

impl House {
    async fn ward() -> Self {
        let house = Self::new().await;
        house.run(WARD).await;
        house
    }

    /// A shift of a contact; `columns` and `values` of the row besides.
    async fn shift(&self, name: &str, columns: &str, values: &str) {
        self.run(&format!("insert into shift (contact_id, {columns}) select contact_id, {values} from contact where name = '{name}'"))
            .await;
    }

    async fn contact_id(&self, name: &str) -> i64 {
        self.value(&format!("select contact_id from contact where name = '{name}'"))
            .await
            .as_i64()
            .expect("a number")
    }

    /// An alert of the ward; gives its number.
    async fn ward_alert(&self) -> i64 {
        let ids = self.fire(&["SN-1"], "major").await;
        self.run("update alert set customer_id = 100, org_id = 300, user_id = 1").await;
        ids[0]
    }

    /// Whom the routes lead to now.
    async fn audience(&self) -> Value {
        self.value("select coalesce(json_agg(address order by address), '[]') from vitals.alert_audience(array(select alert_id from alert))")
            .await
    }
}

#[tokio::test]
async fn the_contacts_on_duty_in_the_nearest_unit_with_shifts_are_notified_and_else_the_managers() {
    let house = House::ward().await;
    let alert = house.ward_alert().await;
    assert_eq!(house.audience().await, json!(["head"]), "no shifts: the managers");
    house.shift("top", "customer_id, ends_at", "100, now() + interval '1 hour'").await;
    assert_eq!(house.audience().await, json!(["top"]), "of the tenant");
    house
        .shift(
            "night",
            "org_id, starts_at, ends_at",
            "200, now() + interval '1 hour', now() + interval '9 hours'",
        )
        .await;
    assert_eq!(
        house.audience().await,
        json!(["head"]),
        "a unit above has shifts, and nobody is on duty there"
    );
    house.shift("day", "org_id, ends_at", "200, now() + interval '1 hour'").await;
    assert_eq!(house.audience().await, json!(["day"]));
    house.shift("day", "kind, ends_at", "'absence', now() + interval '1 hour'").await;
    assert_eq!(house.audience().await, json!(["head"]), "absent");
    house.run("delete from shift where kind = 'absence'").await;

    // Assigned to somebody who is off: those on duty are notified. Somebody without shifts is never off.
    house.run(&format!("update alert set assigned_to = {}", house.contact_id("night").await)).await;
    assert_eq!(house.audience().await, json!(["day"]));
    house.run(&format!("update alert set assigned_to = {}", house.contact_id("head").await)).await;
    assert_eq!(house.audience().await, json!(["day", "head"]));
    house.run("update alert set assigned_to = null").await;

    // A repeat goes to whoever is on duty when it is due.
    house.run("delete from notification").await;
    house.notify(&[alert], "fired").await;
    house.run("update notification set status = 'sent', sent_at = now()").await;
    house
        .run(
            "update shift set ends_at = now() where ends_at < now() + interval '2 hours';
               update shift set starts_at = now() where starts_at > now()",
        )
        .await;
    house.due_now().await;
    house.do_steps().await;
    assert_eq!(house.rows().await, ["fired webhook day sent", "repeated webhook night pending"]);
}

#[tokio::test]
async fn hours_recur_on_their_days_by_the_clock_of_their_zone() {
    let house = House::ward().await;
    house
        .shift(
            "night",
            "org_id, starts_at, weekly_days, from_time, until_time, time_zone",
            "300, '2026-01-01', '{5}', '22:00', '06:00', 'Europe/Berlin'",
        )
        .await;
    for (at, on_duty) in [
        ("2026-01-09 20:59+00", false),
        ("2026-01-09 21:00+00", true),
        ("2026-01-10 04:59+00", true),
        ("2026-01-10 05:00+00", false),
        ("2026-01-10 21:00+00", false),
        ("2026-07-10 20:00+00", true),
        ("2025-12-26 21:00+00", false),
    ] {
        let query = format!("select count(*) = 1 from vitals.contacts_on_duty('{at}')");
        assert_eq!(house.value(&query).await, on_duty, "{at}");
    }
    let zone = house.sql.execute("update shift set time_zone = 'Asia/Atlantis'", &[]).await;
    assert_eq!(zone.expect_err("no zone").code().map(|code| code.code()), Some("23514"));
}

#[tokio::test]
async fn in_quiet_hours_whoever_is_on_duty_at_their_end_is_notified() {
    let house = House::ward().await;
    house.shift("day", "org_id, ends_at", "300, now() + interval '1 hour'").await;
    house
        .shift(
            "night",
            "org_id, starts_at, ends_at",
            "300, now() + interval '1 hour', now() + interval '9 hours'",
        )
        .await;
    house
        .run(
            "update notification_route set repeat_seconds = null, time_zone = 'UTC',
                  quiet_from = (now() at time zone 'UTC' - interval '1 hour')::time,
                  quiet_until = (now() at time zone 'UTC' + interval '1 hour')::time",
        )
        .await;
    let alert = house.ward_alert().await;
    house.run("delete from notification; delete from vitals.notification_step").await;
    house.notify(&[alert], "fired").await;
    house.due_now().await;
    house.do_steps().await;
    assert_eq!(house.rows().await, [""; 0], "quiet");
    house
        .run(
            "update notification_route set quiet_from = null, quiet_until = null;
               update shift set ends_at = now() where ends_at < now() + interval '2 hours';
               update shift set starts_at = now() where starts_at > now()",
        )
        .await;
    house.due_now().await;
    house.do_steps().await;
    house.do_steps().await;
    assert_eq!(house.rows().await, ["fired webhook night pending"]);
    assert_eq!(house.steps().await, [""; 0]);
}

#[tokio::test]
async fn an_alert_is_assigned_found_by_its_person_and_taken_away_through_http_the_command_line_and_sql() {
    let house = House::ward().await;
    let service = house.serve(|settings| settings.notify.attempts = 1).await;
    let alert = house.ward_alert().await;
    let (day, night, stranger) =
        (house.contact_id("day").await, house.contact_id("night").await, house.contact_id("stranger").await);
    house.shift("day", "org_id, ends_at", "300, now() + interval '1 hour'").await;
    house.shift("night", "org_id, ends_at", "300, now() + interval '1 hour'").await;
    let path = format!("/api/alerts/{alert}/assign");

    let body = json!({ "contact_id": day.to_string(), "actor": "head", "note": "please" });
    let answer = service.send("POST", &path, Some(&body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["alert"]["assigned_name"], "day");
    assert_eq!(answer.body["alert"]["status"], "firing", "assigned is not acknowledged");
    let last =
        answer.body["actions"].as_array().and_then(|actions| actions.last()).cloned().expect("an action");
    assert_eq!(
        (&last["action"], &last["actor"], &last["note"]),
        (&json!("assigned"), &json!("head"), &json!("day: please"))
    );
    service.send("POST", &path, Some(&body)).await;
    assert_eq!(
        house.value("select json_agg(address) from notification where kind = 'assigned'").await,
        json!(["day"]),
        "the person is notified, once"
    );
    let unsaid = service.send("POST", &path, Some(&json!({ "actor": "head" }))).await;
    assert_eq!(unsaid.status, 400, "who takes it away says so by null: {unsaid:?}");
    for (contact_id, reason) in [(stranger, "tenant 100"), (987_654, "no contact 987654")] {
        let body = json!({ "contact_id": contact_id.to_string(), "actor": "head" });
        let refused = service.send("POST", &path, Some(&body)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.to_string().contains(reason), "{refused:?}");
    }

    let found = |query: String| async {
        let query = query;
        service.get(&format!("/api/alerts?{query}")).await.body["alerts"].as_array().expect("alerts").len()
    };
    assert_eq!(found(format!("assigned_to={day}")).await, 1);
    assert_eq!(found("assigned_name=day".to_owned()).await, 1);
    assert_eq!(found(format!("assigned_to={night}")).await, 0);

    let id = alert.to_string();
    let given =
        vitals(&house.database, &["alerts", "assign", &id, "--to", &night.to_string(), "--actor", "head"])
            .await;
    assert_eq!(given.code, 0, "{given:?}");
    for (arguments, count) in [
        (vec!["--mine", "--actor", "night"], 1),
        (vec!["--mine", "--actor", "day"], 0),
        (vec!["--assigned-to", &night.to_string()], 1),
    ] {
        let list = vitals(&house.database, &[&["alerts", "list", "--json"], &arguments[..]].concat()).await;
        assert_eq!(list.out.lines().count(), count, "{arguments:?} {list:?}");
    }
    let taken = vitals(&house.database, &["alerts", "assign", &id, "--nobody", "--actor", "head"]).await;
    assert_eq!(taken.code, 0, "{taken:?}");

    house.run(&format!("select vitals.assign_alert({alert}, {day}, 'a DBA')")).await;
    let history = "select json_agg(concat_ws(' ', action, actor, note) order by alert_action_id) from alert_action where action like '%assigned'";
    assert_eq!(
        house.value(history).await,
        json!(["assigned head day: please", "assigned head night", "unassigned head", "assigned a DBA day"])
    );
    assert_eq!(
        house.value("select json_agg(address || ' ' || sequence order by sequence) from notification where kind = 'assigned'").await,
        json!(["day 1", "night 2", "day 3"])
    );
    house.run(&format!("select vitals.resolve_alert({alert}, 'head')")).await;
    assert_eq!(service.send("POST", &path, Some(&body)).await.status, 409, "resolved");
    service.finish().await;
}

#[tokio::test]
async fn shifts_are_added_listed_and_ended_through_http_and_the_command_line() {
    let house = House::ward().await;
    let service = house.serve(|_| ()).await;
    let (day, night) =
        (house.contact_id("day").await.to_string(), house.contact_id("night").await.to_string());
    let body = json!({ "org_id": "300", "contact_id": day, "from_time": "00:00", "until_time": "23:59:59", "time_zone": "UTC" });
    let added = service.send("POST", "/api/shifts", Some(&body)).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!((&added.body["contact"], &added.body["kind"]), (&json!("day"), &json!("duty")));
    for (body, reason) in [
        (json!({ "org_id": "300", "contact_id": day }), "an end"),
        (
            json!({ "org_id": "300", "contact_id": day, "from_time": "07", "until_time": "19:00" }),
            "no time of day such as 07:00",
        ),
        (
            json!({ "org_id": "987", "contact_id": day, "from_time": "07:00", "until_time": "19:00" }),
            "no such contact or unit",
        ),
        (
            json!({ "org_id": "300", "contact_id": day, "from_time": "07:00", "until_time": "19:00", "time_zone": "Mars/Base" }),
            "time zone",
        ),
    ] {
        let refused = service.send("POST", "/api/shifts", Some(&body)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.to_string().contains(reason), "{refused:?}");
    }
    let command = |arguments: &'static [&'static str]| {
        let night = night.clone();
        let database = &house.database;
        async move {
            let arguments: Vec<&str> =
                arguments.iter().map(|each| if *each == "NIGHT" { night.as_str() } else { each }).collect();
            vitals(database, &[&["alerts", "shift"], &arguments[..]].concat()).await
        }
    };
    let hours = command(&[
        "add",
        "--contact",
        "NIGHT",
        "--customer",
        "100",
        "--from-time",
        "19:00",
        "--until-time",
        "07:00",
        "--days",
        "1,2,3",
    ])
    .await;
    assert_eq!(hours.code, 0, "{hours:?}");
    assert_eq!(command(&["add", "--contact", "NIGHT", "--absent", "--until", "2100-01-01"]).await.code, 0);
    assert_eq!(
        command(&["add", "--contact", "NIGHT", "--org", "300"]).await.code,
        1,
        "neither hours nor an end"
    );

    let shifts = service.get("/api/shifts?customer_id=100").await.body["shifts"].clone();
    let contacts: Vec<&Value> =
        shifts.as_array().expect("shifts").iter().map(|shift| &shift["contact"]).collect();
    assert_eq!(contacts, ["day", "night", "night"]);
    assert_eq!(shifts[1]["weekly_days"], json!([1, 2, 3]));
    assert_eq!(service.get("/api/shifts?customer_id=400").await.body["shifts"], json!([]));
    let at = jiff::Timestamp::now();
    let on_duty = service.get(&format!("/api/shifts?on_duty_at={at}")).await.body["shifts"].clone();
    assert_eq!(on_duty.as_array().map(Vec::len), Some(1), "{on_duty}");
    assert_eq!(on_duty[0]["on_duty"], true);
    let table = command(&["list"]).await.out;
    assert!(
        table.contains("1,2,3 19:00-07:00") && table.contains("unit 300") && table.contains("absent"),
        "{table}"
    );

    let shift_id = shifts[0]["shift_id"].as_str().expect("a number");
    assert_eq!(service.send("DELETE", &format!("/api/shifts/{shift_id}"), None).await.status, 200);
    assert_eq!(service.send("DELETE", "/api/shifts/987654", None).await.status, 404);
    let left = command(&["list", "--on-duty", "--json"]).await;
    assert_eq!(left.out, "", "it is over");
    service.finish().await;
}

#[tokio::test]
async fn routes_and_their_repeats_are_set_through_http_and_the_command_line() {
    let house = House::ward().await;
    let service = house.serve(|_| ()).await;
    house.run("delete from notification_route").await;
    let body = json!({ "channel": "webhook", "audience": "on_duty", "repeat_seconds": 300 });
    let added = service.send("POST", "/api/notification_routes", Some(&body)).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(
        (&added.body["repeat_times"], &added.body["on_acknowledged"], &added.body["min_severity"]),
        (&json!(100), &json!(true), &json!("minor"))
    );
    let id = added.body["route_id"].as_str().expect("a number").to_owned();
    for (body, reason) in [
        (json!({ "channel": "pigeon", "audience": "managers" }), "pigeon"),
        (json!({ "channel": "webhook", "audience": "contact" }), "contact_id"),
        (json!({ "channel": "webhook", "audience": "contact", "contact_id": "987654" }), "no such contact"),
        (json!({ "channel": "webhook", "audience": "managers", "repeat_seconds": 1 }), "repeat_seconds"),
        (json!({ "channel": "webhook", "audience": "managers", "quiet_from": "22:00" }), "quiet hours"),
        (json!({ "channel": "webhook", "audience": "managers", "repeat_second": 300 }), "repeat_second"),
    ] {
        let refused = service.send("POST", "/api/notification_routes", Some(&body)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.to_string().contains(reason), "{refused:?}");
    }
    let route = |arguments: Vec<String>| {
        let database = &house.database;
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            vitals(database, &[&["alerts", "route"], &arguments[..]].concat()).await
        }
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let set = route(words(&format!(
        "set {id} --repeat-seconds 600 --after-seconds 300 --quiet-from 22:00 --quiet-until 07:00"
    )))
    .await;
    assert_eq!(set.code, 0, "{set:?}");
    let path = format!("/api/notification_routes/{id}");
    let now = service.get(&path).await.body;
    assert_eq!(
        (&now["repeat_seconds"], &now["after_seconds"], &now["audience"]),
        (&json!(600), &json!(300), &json!("on_duty"))
    );
    assert_eq!(route(words(&format!("set {id} --repeat-seconds none"))).await.code, 0);
    assert_eq!(service.get(&path).await.body["repeat_seconds"], json!(null));
    let added =
        route(words("add --channel webhook --audience managers --min-severity critical --repeat-seconds 60"))
            .await;
    assert_eq!(added.code, 0, "{added:?}");
    let half = route(words("add --audience managers")).await;
    assert!(half.code == 1 && half.err.contains("--channel"), "{half:?}");
    let table = route(words("list")).await.out;
    assert!(
        table.contains("60 s ×100") && table.contains("on_duty") && table.contains("critical"),
        "{table}"
    );

    let replaced =
        service.send("PUT", &path, Some(&json!({ "channel": "email", "audience": "managers" }))).await;
    assert_eq!((replaced.status, &replaced.body["after_seconds"]), (200, &json!(0)), "{replaced:?}");
    assert_eq!(service.send("DELETE", &path, None).await.status, 200);
    assert_eq!(service.send("DELETE", &path, None).await.status, 404);
    assert_eq!(route(words(&format!("set {id} --enabled false"))).await.code, 1);
    let contacts = vitals(&house.database, &["alerts", "contacts", "--customer", "400", "--json"]).await.out;
    assert_eq!(contacts.lines().count(), 1, "{contacts}");
    assert_eq!(service.get("/api/contacts?customer_id=400").await.body["contacts"][0]["name"], "stranger");
    service.finish().await;
}

#[tokio::test]
async fn addresses_are_added_changed_and_removed_through_http_and_the_command_line() {
    let house = House::ward().await;
    let service = house.serve(|_| ()).await;
    house.run("delete from contact_address").await;
    let day = house.contact_id("day").await.to_string();
    let path = "/api/contact_addresses";
    let secret = "SEC0123456789";
    let body = json!({ "contact_id": day, "channel": "feishu_robot", "address": "token-of-a-robot", "secret": secret });
    let added = service.send("POST", path, Some(&body)).await;
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(
        (&added.body["contact"], &added.body["address"], &added.body["has_secret"], &added.body["enabled"]),
        (&json!("day"), &json!("…obot"), &json!(true), &json!(true))
    );
    assert_eq!(service.send("POST", path, Some(&body)).await.status, 409, "it is there already");
    let id = added.body["address_id"].as_str().expect("a number").to_owned();

    // What SQL refuses is refused here and there.
    for (channel, address, reason) in [
        ("pigeon", "x", "no channel \"pigeon\""),
        ("sms", "13800138000", "+8613800138000"),
        ("dingtalk_robot", "https://oapi.dingtalk.com/robot/send?access_token=x", "access_token="),
        ("email", " ", "from 1 to 2000 bytes"),
    ] {
        let sql = format!(
            "insert into contact_address (contact_id, channel, address) values ({day}, '{channel}', '{address}')"
        );
        assert!(house.sql.batch_execute(&sql).await.is_err(), "{sql}");
        let body = json!({ "contact_id": day, "channel": channel, "address": address });
        let refused = service.send("POST", path, Some(&body)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body["message"].as_str().expect("a text").contains(reason), "{refused:?}");
        let arguments =
            ["alerts", "address", "add", "--contact", &day, "--channel", channel, "--address", address];
        let refused = vitals(&house.database, &arguments).await;
        assert!(refused.code == 1 && refused.err.contains(reason), "{refused:?}");
    }
    for body in [
        json!({ "contact_id": "987654", "channel": "email", "address": "a@example.org" }),
        json!({ "contact_id": day, "channel": "email" }),
        json!({ "contact_id": day, "channel": "email", "address": "a@example.org", "adress": "" }),
    ] {
        let refused = service.send("POST", path, Some(&body)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }

    let one = format!("{path}/{id}");
    let kept = "select json_agg(concat_ws('|', address, secret, enabled)) from contact_address where channel = 'feishu_robot'";
    let off = service.send("PATCH", &one, Some(&json!({ "enabled": false }))).await;
    assert_eq!((off.status, &off.body["enabled"]), (200, &json!(false)), "{off:?}");
    assert_eq!(house.value(kept).await, json!(["token-of-a-robot|SEC0123456789|f"]), "the rest stays");
    let moved = service.send("PATCH", &one, Some(&json!({ "address": "another", "secret": null }))).await;
    assert_eq!((moved.status, &moved.body["has_secret"]), (200, &json!(false)), "{moved:?}");
    assert_eq!(service.send("PATCH", &one, Some(&json!({ "address": "a/b" }))).await.status, 400);
    assert_eq!(service.send("PATCH", &format!("{path}/987654"), Some(&json!({}))).await.status, 404);
    assert_eq!(house.value(kept).await, json!(["another|f"]));

    let address = |arguments: &str| {
        let database = &house.database;
        let arguments: Vec<String> =
            ["alerts", "address"].into_iter().chain(arguments.split(' ')).map(str::to_owned).collect();
        async move { vitals(database, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    let set = address(&format!("set {id} --enabled true --secret {secret}")).await;
    assert_eq!(set.code, 0, "{set:?}");
    assert_eq!(house.value(kept).await, json!(["another|SEC0123456789|t"]));
    let mail = address(&format!("add --contact {day} --channel email --address day@example.org")).await;
    assert_eq!(mail.code, 0, "{mail:?}");
    let table = address("list").await.out;
    assert!(table.contains("…ther") && table.contains("day@example.org"), "{table}");
    let listed = service.get(&format!("{path}?contact_id={day}")).await;
    for shown in [&table, &address("list --json").await.out, &listed.body.to_string()] {
        assert!(!shown.contains(secret) && !shown.contains("another"), "{shown}");
    }
    assert_eq!(listed.body["addresses"].as_array().map(Vec::len), Some(2), "{listed:?}");
    assert_eq!(service.get(&format!("{path}?after={id}")).await.body["addresses"][0]["channel"], "email");
    assert_eq!(service.get(&format!("{path}?customer_id=400")).await.body["addresses"], json!([]));

    assert_eq!(address(&format!("set {id} --secret none")).await.code, 0);
    assert_eq!(house.value(kept).await, json!(["another|t"]));
    assert_eq!(address(&format!("set {id}")).await.code, 2, "nothing to change");
    assert_eq!(service.send("DELETE", &one, None).await.status, 200);
    assert_eq!(service.send("DELETE", &one, None).await.status, 404);
    assert_eq!(address(&format!("remove {id}")).await.code, 1);
    service.finish().await;
}
