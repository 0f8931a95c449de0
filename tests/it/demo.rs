//! `vitals demo` stays out of databases that hold anything but its own.

use crate::harness::{CommandOutput, Database, vitals};

async fn demo(database: &Database) -> CommandOutput {
    vitals(database, &["demo", "--seconds", "1", "--devices", "1", "--history-days", "0"]).await
}

// One test: of a clone only one demo runs at a time.
#[tokio::test]
async fn a_database_with_anything_of_somebody_elses_is_refused_before_it_is_touched() {
    let foreign = Database::empty("Asia/Shanghai").await;
    let client = foreign.client().await;
    client.batch_execute("create table invoice (id integer)").await.expect("a table");
    let said = demo(&foreign).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("public.invoice") && said.err.contains("VITALS_DATABASE_URL"), "{}", said.err);
    let tables =
        "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
    let tables: i64 = client.query_one(tables, &[]).await.expect("a count").get(0);
    assert_eq!(tables, 1, "nothing was migrated into it");

    for (what, sql) in [
        ("health_data", "insert into health_data (device_sn, ts) values ('CRFTQ23409001890', now())"),
        ("customer", "insert into customer (customer_id, name) values (7, 'Clinic')"),
        ("contact", "insert into contact (name) values ('Nurse Li')"),
    ] {
        let database = Database::new().await;
        database.client().await.batch_execute(sql).await.expect("a row");
        let said = demo(&database).await;
        assert_eq!(said.code, 1, "{what}: {said:?}");
        assert!(said.err.contains(what) && said.err.contains("--among-real-data"), "{what}: {}", said.err);
    }

    let simulated = Database::new().await;
    let client = simulated.client().await;
    client
        .batch_execute("insert into health_data (device_sn, ts) values ('SIM0000000000001', now())")
        .await
        .expect("a row of an earlier demo");
    let said = demo(&simulated).await;
    assert_eq!(said.code, 0, "an earlier demo's, and then one more: {said:?}");
}
