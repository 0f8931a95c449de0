//! `vitals directory import`, the real binary: what it takes, what it refuses, and that again changes nothing.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{CommandOutput, Database, Service, command, eventually};

const TENANT: i64 = 1_939_964_806_110_937_090;
const ORG: i64 = 1_939_964_806_110_937_091;
const ANNA: i64 = 1_939_964_806_110_937_092;
const BERND: i64 = 1_939_964_806_110_937_093;

/// Files of one test, and the command on them.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn of(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self { folder }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder.join(name), content).expect("written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).expect("text")
    }

    async fn import(&self, database: &Database, arguments: &[&str]) -> CommandOutput {
        let output = command(database, &["directory", "import"])
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .await
            .expect("the binary can be run");
        CommandOutput {
            code: output.status.code().expect("not by a signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const EVERYTHING: [&str; 8] = [
    "--bindings",
    "bindings.csv",
    "--users",
    "users.csv",
    "--orgs",
    "orgs.csv",
    "--customers",
    "customers.csv",
];

/// A small directory, spelled as exports are: with a byte order mark, quotes, other columns and names in any case.
fn small_directory(files: &Files) {
    files.write("customers.csv", format!("\u{feff}customer_id,name\r\n{TENANT},\"养老院, 北京\"\r\n"));
    files.write(
        "orgs.csv",
        format!("Name,orgId,remark,Ancestors\nroot,{TENANT},x,0\nward,{ORG},,\"0,{TENANT}\"\n"),
    );
    files.write("users.csv", format!("user_id,name,org_id\n{ANNA},Anna,{ORG}\n{BERND},,\n"));
    files.write("bindings.csv", format!("device_sn,user_id\nWATCH-1,{ANNA}\nWATCH-2,{BERND}\n"));
}

async fn owners(database: &Database) -> Vec<(String, Option<i64>, Option<i64>, i64)> {
    database
        .client()
        .await
        .query("select * from device_owner('{WATCH-1,WATCH-2}') order by device_sn", &[])
        .await
        .expect("owners")
        .iter()
        .map(|row| (row.get("device_sn"), row.get("user_id"), row.get("org_id"), row.get("customer_id")))
        .collect()
}

/// Every binding of a device: user, first day, last day.
async fn history(database: &Database, device_sn: &str) -> Vec<(i64, String, String)> {
    database
        .client()
        .await
        .query(
            "select user_id, to_char(valid_from at time zone 'Asia/Shanghai', 'YYYY-MM-DD'),
                    coalesce(to_char(valid_until at time zone 'Asia/Shanghai', 'YYYY-MM-DD'), 'open')
             from device_binding where device_sn = $1 order by valid_from",
            &[&device_sn],
        )
        .await
        .expect("bindings")
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

async fn version(database: &Database) -> i64 {
    database
        .client()
        .await
        .query_one("select version from vitals.directory", &[])
        .await
        .expect("a row")
        .get(0)
}

#[tokio::test]
async fn files_become_owners_and_the_same_files_again_change_nothing() {
    let database = Database::new().await;
    let files = Files::of("again");
    small_directory(&files);
    let said = files.import(&database, &EVERYTHING).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let expected =
        [("WATCH-1".to_owned(), Some(ANNA), Some(ORG), TENANT), ("WATCH-2".to_owned(), Some(BERND), None, 0)];
    assert_eq!(owners(&database).await, expected);
    let name: String = database
        .client()
        .await
        .query_one("select name from customer where customer_id = $1", &[&TENANT])
        .await
        .expect("a customer")
        .get(0);
    assert_eq!(name, "养老院, 北京");

    let before = version(&database).await;
    let said = files.import(&database, &EVERYTHING).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out.matches("0 added, 0 changed, 0 refused").count(), 4, "{}", said.out);
    assert_eq!(version(&database).await, before, "nobody is told of a change");
    assert_eq!(owners(&database).await, expected);
}

#[tokio::test]
async fn a_running_service_follows_an_import() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let files = Files::of("running");
    small_directory(&files);
    let second = std::sync::atomic::AtomicI64::new(jiff::Timestamp::now().as_second());
    let uploaded = || async {
        let second = second.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let item = json!({ "deviceSn": "WATCH-1", "heart_rate": 70, "timestamp": second });
        assert_eq!(service.upload(&json!({ "data": item })).await, (1, 0, 0));
        let newest = "select user_id from health_data order by ts desc limit 1";
        let row = database.client().await.query_one(newest, &[]).await.expect("a row");
        row.get::<_, Option<i64>>(0)
    };
    assert_eq!(uploaded().await, None);
    assert_eq!(files.import(&database, &EVERYTHING).await.code, 0);
    eventually("uploads get the new owner", || async { (uploaded().await == Some(ANNA)).then_some(()) })
        .await;
    service.finish().await;
}

#[tokio::test]
async fn what_changed_is_changed_and_who_wore_a_device_stays_known() {
    let database = Database::new().await;
    let files = Files::of("changed");
    small_directory(&files);
    assert_eq!(files.import(&database, &EVERYTHING).await.code, 0);
    files.write("users.csv", format!("user_id,name,org_id\n{ANNA},Anna,\n{BERND},Bernd,{ORG}\n"));
    files.write("bindings.csv", format!("device_sn,user_id\nWATCH-1,{BERND}\nWATCH-2,\nWATCH-3,\n"));
    let said = files.import(&database, &["--users", "users.csv", "--bindings", "bindings.csv"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("0 added, 2 changed"), "{}", said.out);
    assert!(said.out.contains("1 added, 0 changed, 2 bindings ended, 0 refused"), "{}", said.out);
    assert_eq!(
        owners(&database).await,
        [("WATCH-1".to_owned(), Some(BERND), Some(ORG), TENANT), ("WATCH-2".to_owned(), None, None, 0),]
    );
    let users: Vec<i64> = history(&database, "WATCH-1").await.into_iter().map(|(user, ..)| user).collect();
    assert_eq!(users, [ANNA, BERND]);
    assert!(history(&database, "WATCH-3").await.is_empty());
}

#[tokio::test]
async fn a_history_is_put_in_order_however_its_lines_stand() {
    let database = Database::new().await;
    let files = Files::of("history");
    small_directory(&files);
    assert_eq!(files.import(&database, &EVERYTHING[2..]).await.code, 0);
    files.write(
        "bindings.csv",
        format!(
            "device_sn,user_id,valid_from,valid_until\n\
             WATCH-1,{ANNA},2026-05-01,\n\
             WATCH-1,{BERND},2026-03-01 00:00:00,2026-04-01T00:00:00+08:00\n\
             WATCH-1,{ANNA},2026-01-01,\n\
             WATCH-1,,2026-06-01,\n\
             WATCH-1,{BERND},2026-07-01,\n"
        ),
    );
    let expected = [
        (ANNA, "2026-01-01", "2026-03-01"),
        (BERND, "2026-03-01", "2026-04-01"),
        (ANNA, "2026-05-01", "2026-06-01"),
        (BERND, "2026-07-01", "open"),
    ]
    .map(|(user, from, until)| (user, from.to_owned(), until.to_owned()));
    for _ in 0..2 {
        let said = files.import(&database, &["--bindings", "bindings.csv"]).await;
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(history(&database, "WATCH-1").await, expected);
    }
    // A line about the past ends at what is known to follow, and an open one gives way.
    files.write(
        "more.csv",
        format!("device_sn,user_id,valid_from\nWATCH-1,{BERND},2026-02-01\nWATCH-1,{ANNA},2026-08-01\n"),
    );
    let said = files.import(&database, &["--bindings", "more.csv"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let [first, second, third, last] = expected;
    assert_eq!(
        history(&database, "WATCH-1").await,
        [
            (first.0, first.1, "2026-02-01".to_owned()),
            (BERND, "2026-02-01".to_owned(), "2026-03-01".to_owned()),
            second,
            third,
            (last.0, last.1, "2026-08-01".to_owned()),
            (ANNA, "2026-08-01".to_owned(), "open".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_line_that_cannot_be_taken_is_told_with_its_number_and_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    let files = Files::of("refused");
    small_directory(&files);
    assert_eq!(files.import(&database, &EVERYTHING[4..]).await.code, 0);
    let mut users =
        format!("user_id,name,org_id\n{ANNA},Anna,{ORG}\n,Nobody,{ORG}\n1.93996E+18,Excel,\n").into_bytes();
    users.extend(b"7,\xff,\n");
    users.extend(
        format!(
            "8,Lost,999\n{BERND},Bernd,{ORG},more\n{ANNA},Other,{ORG}\n{ANNA},Anna,{ORG}\n{BERND},,{ORG}\n"
        )
        .into_bytes(),
    );
    files.write("users.csv", users);
    files.write(
        "bindings.csv",
        format!(
            "device_sn,user_id,valid_from,valid_until\nWATCH-1,{ANNA},,\n,{ANNA},,\nX,5,,\n{},{ANNA},,\n\
             X,{ANNA},yesterday,\nX,{ANNA},,2026-01-01\nX,{ANNA},2026-01-02,2026-01-01\nX,,2026-01-02,2026-01-03\n\
             WATCH-1,{BERND},,\nWATCH-2,{BERND},,\n",
            "S".repeat(65)
        ),
    );
    let said = files
        .import(
            &database,
            &["--users", "users.csv", "--bindings", "bindings.csv", "--refused", "refused.csv"],
        )
        .await;
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(
        owners(&database).await,
        [
            ("WATCH-1".to_owned(), Some(ANNA), Some(ORG), TENANT),
            ("WATCH-2".to_owned(), Some(BERND), Some(ORG), TENANT),
        ]
    );
    let refused = files.read("refused.csv");
    let expected = [
        ("users.csv,3", "user_id is missing"),
        ("users.csv,4", "a spreadsheet may have shortened it"),
        ("users.csv,5", "not UTF-8"),
        ("users.csv,7", "4 fields, but 3 column names"),
        ("users.csv,6", "organisation unit 999 is not known"),
        ("users.csv,8", "is another in line 2"),
        ("bindings.csv,3", "device_sn is missing"),
        ("bindings.csv,5", "device_sn is longer than 64 bytes"),
        ("bindings.csv,6", "valid_from \"\"yesterday\"\" is neither"),
        ("bindings.csv,7", "valid_until without valid_from"),
        ("bindings.csv,8", "valid_until is not after valid_from"),
        ("bindings.csv,9", "valid_until without user_id"),
        ("bindings.csv,4", "user 5 is not known"),
        ("bindings.csv,10", "device WATCH-1 is bound otherwise in line 2"),
    ];
    assert_eq!(refused.lines().count(), 1 + expected.len(), "{refused}");
    for (line, (place, reason)) in refused.lines().skip(1).zip(expected) {
        assert!(
            line.starts_with(&format!("{place},")) && line.contains(reason),
            "{line} is not {place} {reason}"
        );
        let shown = place.replace(',', ":");
        assert!(said.err.contains(&format!("{shown}: ")), "{shown} is not shown: {}", said.err);
    }
}

/// Name, language and addresses of every contact, and the units they manage.
async fn contacts(database: &Database) -> Vec<(String, Option<String>, String, String)> {
    let sql = "select name, language,
                      (select coalesce(string_agg(channel || ':' || address, ' ' order by channel, address), '')
                       from contact_address a where a.contact_id = c.contact_id),
                      (select coalesce(string_agg(org_id::text, ' '), '') from org_manager m where m.contact_id = c.contact_id)
               from contact c order by name collate \"C\"";
    let rows = database.client().await.query(sql, &[]).await.expect("contacts");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

#[tokio::test]
async fn contacts_are_imported_with_their_language_and_a_language_that_is_not_there_is_refused() {
    let database = Database::new().await;
    let files = Files::of("contacts");
    small_directory(&files);
    files.write(
        "contacts.csv",
        format!(
            "name,channel,address,language,user_id,org_id\n\
             护士张,wecom,zhang,zh,,{ORG}\n护士张,email,zhang@example.org,,,\n\
             Anna's son,email,son@example.org,EN,{ANNA},\nWard,wecom_robot,the-key,,,\n"
        ),
    );
    let all = [&EVERYTHING[..], &["--contacts", "contacts.csv"]].concat();
    let added = files.import(&database, &all).await;
    assert!(added.code == 0 && added.out.contains("3 added"), "{added:?}");
    let (nurse, son, ward) = ("护士张".to_owned(), "Anna's son".to_owned(), "Ward".to_owned());
    let zh = Some("zh".to_owned());
    let addresses = "email:zhang@example.org wecom:zhang".to_owned();
    let unit = ORG.to_string();
    let of_son = (son, Some("en".to_owned()), "email:son@example.org".to_owned(), String::new());
    let robot = "wecom_robot:the-key".to_owned();
    let before = [
        of_son.clone(),
        (ward.clone(), None, robot.clone(), String::new()),
        (nurse.clone(), zh.clone(), addresses.clone(), unit.clone()),
    ];
    assert_eq!(contacts(&database).await, before);
    let again = files.import(&database, &["--contacts", "contacts.csv"]).await;
    assert!(again.code == 0 && again.out.contains("0 added, 0 changed"), "{again:?}");

    files.write(
        "contacts.csv",
        format!(
            "name,language,channel,address,org_id\nWard,zh,,,{ORG}\n护士张,,,,\nMax,fr,email,max@example.org,\n\
             Eva,en,email,,\nPia,en,fax,12345,\nLea,en,,,77\nWard,en,,,\n"
        ),
    );
    let changed = files.import(&database, &["--contacts", "contacts.csv", "--refused", "refused.csv"]).await;
    assert!(changed.code == 3 && changed.out.contains("0 added, 1 changed"), "{changed:?}");
    let after = [of_son, (ward, zh.clone(), robot, unit.clone()), (nurse, zh, addresses, unit)];
    assert_eq!(contacts(&database).await, after);
    let refused = files.read("refused.csv");
    for (line, reason) in [
        (4, "language \"\"fr\"\" is none of: en, zh"),
        (5, "channel without address"),
        (6, "channel \"\"fax\"\" is none of: wechat"),
        (7, "organisation unit 77 is not known"),
        (8, "contact \"\"Ward\"\" has language zh in an earlier line"),
    ] {
        let place = format!("contacts.csv,{line},");
        let told = refused.lines().find(|told| told.starts_with(&place)).expect("refused");
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test]
async fn a_file_that_is_none_changes_nothing() {
    let database = Database::new().await;
    let files = Files::of("none");
    small_directory(&files);
    files.write("no_such_column.csv", "device_sn,owner\nWATCH-1,5\n");
    for (arguments, reason) in [
        (["--bindings", "missing.csv"], "missing.csv"),
        (["--bindings", "no_such_column.csv"], "user_id missing"),
        (["--orgs", "customers.csv"], "org_id, ancestors missing"),
    ] {
        let said = files.import(&database, &arguments).await;
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.err.contains(reason), "{}", said.err);
    }
    assert_eq!(files.import(&database, &[]).await.code, 2);
    // A quotation mark that is never closed takes the rest of the file with it, and that is told.
    files.write("open.csv", "org_id,name,ancestors\n5,\"five,0\n6,six,0\n7,seven,0\n");
    let said = files.import(&database, &["--orgs", "open.csv"]).await;
    assert_eq!(said.code, 3);
    assert!(said.err.contains("is a quotation mark left open?"), "{}", said.err);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let database = Database::new().await;
    let files = Files::of("dry");
    small_directory(&files);
    assert_eq!(files.import(&database, &EVERYTHING[4..]).await.code, 0);
    let before = version(&database).await;
    let said = files.import(&database, &["--users", "users.csv", "--dry-run"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("2 added") && said.out.contains("nothing was changed"), "{}", said.out);
    let users: i64 = database
        .client()
        .await
        .query_one("select count(*) from app_user", &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!((users, version(&database).await), (0, before));
}

#[tokio::test]
async fn a_dry_run_takes_the_files_together_and_says_what_they_would_change() {
    let database = Database::new().await;
    let files = Files::of("forecast");
    small_directory(&files);
    // Users of units, and bindings of users, that only the files before them know.
    let fresh = files.import(&database, &[&EVERYTHING[..], &["--dry-run"]].concat()).await;
    assert_eq!(fresh.code, 0, "{fresh:?}");
    assert!(fresh.err.is_empty() || !fresh.err.contains("not known"), "{fresh:?}");
    for line in [
        "new: customer 1939964806110937090 \"养老院, 北京\"",
        "new: unit 1939964806110937091 \"ward\" below 1939964806110937090",
        "new: user 1939964806110937092 \"Anna\" in unit 1939964806110937091",
        "new: device WATCH-1 worn by 1939964806110937092 since",
        "nothing was changed (--dry-run)",
    ] {
        assert!(fresh.out.contains(line), "{line}\n{}", fresh.out);
    }
    let rows = "select (select count(*) from customer where customer_id <> 0) + (select count(*) from app_user) + (select count(*) from device_binding)";
    let rows =
        async || -> i64 { database.client().await.query_one(rows, &[]).await.expect("a count").get(0) };
    assert_eq!(rows().await, 0, "nothing was changed");

    assert_eq!(files.import(&database, &EVERYTHING).await.code, 0);
    let before = (rows().await, version(&database).await);
    files.write("users.csv", format!("user_id,name,org_id\n{ANNA},Anna B.,{ORG}\n{BERND},,\n"));
    files.write("bindings.csv", format!("device_sn,user_id\nWATCH-1,\nWATCH-2,{BERND}\n"));
    let second = files.import(&database, &[&EVERYTHING[..], &["--dry-run"]].concat()).await;
    for line in [
        "0 added, 1 changed",
        "changed: user 1939964806110937092 \"Anna B.\" in unit 1939964806110937091, was \"Anna\" in unit 1939964806110937091",
        "1 bindings ended",
        "ended: device WATCH-1 worn by 1939964806110937092",
    ] {
        assert!(second.out.contains(line), "{line}\n{}", second.out);
    }
    assert_eq!((rows().await, version(&database).await), before, "nothing was changed");
}

#[tokio::test]
async fn a_large_file_is_one_change_and_shows_how_far_it_is() {
    const LINES: i64 = 50_000;
    let database = Database::new().await;
    let files = Files::of("large");
    let (mut users, mut bindings) = ("user_id,name,org_id\n".to_owned(), "device_sn,user_id\n".to_owned());
    for n in 1..=LINES {
        writeln!(users, "{n},user {n},").expect("text");
        writeln!(bindings, "LARGE-{n},{n}").expect("text");
    }
    files.write("users.csv", users);
    files.write("bindings.csv", bindings);
    let before = version(&database).await;
    let said = files.import(&database, &["--users", "users.csv", "--bindings", "bindings.csv"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("100 % 50000 lines, merging"), "{}", said.err);
    assert_eq!(version(&database).await, before + 1);
    let bound: i64 = database
        .client()
        .await
        .query_one("select count(*) from device_binding where valid_until is null", &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(bound, LINES);
}
