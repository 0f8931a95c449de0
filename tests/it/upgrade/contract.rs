//! A schema that is contracted: it records which programs it serves, and older ones neither run nor start.

use vitals::store::migrate::Phases;
use vitals::store::program::Program;
use vitals::store::schema;

use super::{migrate, next_program, run, texts};
use crate::harness::{Database, Process, Service, eventually, vitals};

/// What is built outside of a transaction may take hours, or fail. Meanwhile no program starts that the schema no longer serves.
#[tokio::test]
async fn each_transaction_that_contracts_the_schema_records_which_programs_it_serves() {
    let database = Database::new().await;
    let client = database.client().await;
    run(
        &client,
        "insert into org_unit (org_id, name) values (41, 'Sunset');
         insert into app_user (user_id, org_id, room) values (1, 41, 'A'), (2, 41, 'A')",
    )
    .await;
    let contract = "-- A comment.\n-- Phase: contract\n\ncomment on table public.outbox is 'Batches.';\n";
    let rooms = "-- One person a room.\n-- Phase: expand\n-- Transaction: none\n
        create unique index concurrently app_user_room_idx\n    on public.app_user (room);\n";
    let last =
        "-- A comment.\n-- Phase: contract\n\ncomment on table public.app_user is 'People, one a room.';\n";
    let files = [("V9001__contract", contract), ("V9002__rooms", rooms), ("V9003__last", last)];
    let next = next_program(&files.map(|(name, sql)| (name.to_owned(), sql.to_owned())));
    let failure = migrate(&database, &next, Phases::Both).await.expect_err("two in a room");
    assert!(failure.contains("V9002__rooms"), "{failure}");
    let state = schema::state_of(&client, Program::this()).await.expect("a state");
    assert_eq!(state, schema::State::Newer { version: 9001 });

    run(&client, "update app_user set room = 'B' where user_id = 2").await;
    migrate(&database, &next, Phases::Both).await.expect("done");
    assert_eq!(texts(&client, "select oldest_program::text from vitals.schema_state").await, ["9003"]);
}

/// Statement by statement, each at once in force: an older program would not work with the first of them.
#[tokio::test]
async fn what_contracts_the_schema_outside_of_a_transaction_is_refused_by_older_programs_from_its_first_statement_on()
 {
    let database = Database::new().await;
    let client = database.client().await;
    let contract = "-- Two comments.\n-- Phase: contract\n-- Transaction: none\n
        comment on table public.outbox is 'Batches.';\n
        comment on table public.later is 'None yet.';\n";
    let next = next_program(&[("V9001__contract".to_owned(), contract.to_owned())]);
    let service = Service::start(&database).await;
    let refusal = migrate(&database, &next, Phases::Both).await.expect_err("this program runs");
    assert!(refusal.contains("V9001__contract contracts the schema, and older programs run"), "{refusal}");
    service.finish().await;
    let state = async || schema::state_of(&client, Program::this()).await.expect("a state");
    assert!(matches!(state().await, schema::State::Current { .. }), "nothing was done");

    for _ in 0..2 {
        let failure = migrate(&database, &next, Phases::Both).await.expect_err("no such table");
        assert!(failure.contains("V9001__contract"), "{failure}");
        assert!(matches!(state().await, schema::State::Newer { .. }), "{:?}", state().await);
    }
    run(&client, "create table public.later ()").await;
    migrate(&database, &next, Phases::Both).await.expect("done");
    assert_eq!(state().await, schema::State::Newer { version: 9001 });
    assert_eq!(texts(&client, "select oldest_program::text from vitals.schema_state").await, ["9001"]);
}

#[tokio::test]
async fn an_instance_under_which_the_schema_was_contracted_ends() {
    let database = Database::new().await;
    let client = database.client().await;
    let process = Process::serve(&database, &[]).await;
    run(&client, "update vitals.schema_state set oldest_program = 9003").await;
    let (status, log) = process.ended_with_log().await;
    assert!(!status.success() && log.contains("no longer serves this one"), "{log}");
    assert_eq!(texts(&client, "select name from vitals.instance").await.len(), 1, "it counts for a minute");
}

/// A contract that is under way when an instance starts: the instance waits for it, and then knows of it.
#[tokio::test]
async fn no_instance_starts_while_the_schema_is_contracted() {
    let database = Database::new().await;
    let (client, observer) = (database.client().await, database.client().await);
    run(
        &client,
        "begin; lock table vitals.instance in share row exclusive mode; update vitals.schema_state set oldest_program = 9003",
    )
    .await;
    let (started, ()) = tokio::join!(Process::try_serve(&database, &[]), async {
        let waiting = "select 1 from pg_locks where relation = 'vitals.instance'::regclass and not granted";
        eventually("the instance waits", async || {
            (!observer.query(waiting, &[]).await.expect("locks").is_empty()).then_some(())
        })
        .await;
        run(&client, "commit").await;
    });
    let log = started.err().expect("refused");
    assert!(log.contains("has just contracted the schema"), "{log}");
    assert_eq!(vitals(&database, &["serve"]).await.code, 1);
}
