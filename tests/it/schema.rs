//! The schema: reviewed as text, made once however many make it, and explained.

use std::path::Path;

use vitals::store::{migrate, migrations};

use crate::harness::Database;

/// Tables, columns, constraints, indexes, triggers, routines and comments, as both editions have them.
const DESCRIBE: &str = include_str!("schema.sql");

#[tokio::test]
async fn the_schema_is_the_reviewed_one() {
    let database = Database::new().await;
    let lines: Vec<String> = database
        .client()
        .await
        .query(DESCRIBE, &[])
        .await
        .expect("a description")
        .iter()
        .map(|row| row.get::<_, String>(0))
        .collect();
    let found = lines.join("\n") + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/schema.sql");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &found).expect("written");
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (found, reviewed)) in found.lines().zip(reviewed.lines()).enumerate() {
        assert_eq!(found, reviewed, "line {}; UPDATE_SNAPSHOTS=1 writes the new text for review", number + 1);
    }
    assert_eq!(found.lines().count(), reviewed.lines().count(), "UPDATE_SNAPSHOTS=1 writes the new text");
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = Database::new().await;
    let again = migrate::run(&database.settings()).await.expect("migrates");
    assert_eq!(again.applied, Vec::<String>::new());
    assert_eq!(again.version, migrations::head());
}

#[tokio::test]
async fn eight_at_once_migrate_once() {
    let database = Database::empty("Asia/Shanghai").await;
    let settings = database.settings();
    let runs = futures_util::future::join_all((0..8).map(|_| migrate::run(&settings))).await;
    let applied: usize = runs.into_iter().map(|run| run.expect("migrates").applied.len()).sum();
    let recorded = database
        .client()
        .await
        .query_one("select count(*), max(version) from refinery_schema_history", &[])
        .await
        .expect("a history");
    assert_eq!(i64::try_from(applied).expect("few"), recorded.get::<_, i64>(0));
    assert_eq!(recorded.get::<_, i32>(1), migrations::head());
}

#[tokio::test]
async fn every_column_says_what_it_holds() {
    let database = Database::new().await;
    let silent = database
        .client()
        .await
        .query(
            "select format('%s.%s', c.oid::regclass, a.attname)
             from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relnamespace in ('public'::regnamespace, 'vitals'::regnamespace, 'dashboard'::regnamespace)
               and c.relkind in ('r', 'v') and c.relname <> 'refinery_schema_history'
               and c.relname !~ '_(materialised|materialized|decoded)$'
               and col_description(c.oid, a.attnum) is null",
            &[],
        )
        .await
        .expect("columns");
    let silent: Vec<&str> = silent.iter().map(|row| row.get(0)).collect();
    assert!(silent.is_empty(), "{silent:?}");
}
