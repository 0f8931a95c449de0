//! Schema public in which everybody may create (a database upgraded from PostgreSQL 14): what others make there, nothing of ours
//! runs as the owner or as the service.

use vitals::app;
use vitals::store::{migrate, roles};

use crate::harness::{Database, Login, vitals};

/// Closer to what our calls say than what they mean, and quick to be found: each raises an error that says it was run.
const TRAPS: &str = "
    create function public.format(text, text) returns text language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.to_regclass(varchar) returns regclass language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.array_to_string(bigint[], text) returns text language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.unnest(bigint[]) returns setof bigint language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.to_jsonb(pg_auth_members) returns jsonb language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.time_bucket(interval, timestamptz, text) returns timestamptz language plpgsql
        as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.drop_chunks(regclass, older_than timestamptz) returns setof text language plpgsql
        as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.trapped(anyelement, anyelement) returns boolean language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create function public.trapped(text, varchar) returns boolean language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create operator public.= (leftarg = text, rightarg = varchar, function = public.trapped);
    create function public.trapped(name, text) returns boolean language plpgsql as $f$ begin raise exception 'TRAPPED'; end $f$;
    create operator public.<= (leftarg = name, rightarg = text, function = public.trapped);";

async fn run(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// A role that may create in schema public, and has.
async fn hostile(database: &Database) -> Login {
    let login = Login::of(database, "vitals_dashboard").await;
    run(database, "grant create on schema public to public").await;
    login.client().await.batch_execute(TRAPS).await.expect("everybody may");
    login
}

/// In a path of its own a function finds what is in PostgreSQL and what it names, whoever calls it.
#[tokio::test]
async fn every_security_definer_function_finds_nothing_in_schema_public() {
    let database = Database::new().await;
    let rows = database
        .client()
        .await
        .query(
            "select p.oid::regprocedure::text as name,
                 (select s from unnest(p.proconfig) as s where s like 'search_path=%') as path
             from pg_proc p
             where p.prosecdef and p.pronamespace in ('public'::regnamespace, 'vitals'::regnamespace, 'dashboard'::regnamespace)
                 and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')",
            &[],
        )
        .await
        .expect("functions");
    assert!(rows.len() >= 9, "{}", rows.len());
    for row in rows {
        let (name, path): (String, Option<String>) = (row.get("name"), row.get("path"));
        assert_eq!(path.as_deref(), Some("search_path=pg_catalog, pg_temp"), "{name}");
    }
}

/// The functions that others may call, the views, the triggers of policy, the jobs: as themselves, as a dashboard, as a DBA.
#[tokio::test]
async fn nothing_that_others_make_in_schema_public_is_run() {
    let database = Database::new().await;
    run(&database, "insert into health_data (device_sn, ts, heart_rate) values ('A', now() - interval '400 days', 70), ('A', now(), 70);
        delete from outbox",
    )
    .await;
    run(&database, "call refresh_rollups(now() - interval '401 days', now())").await;
    run(&database, "call refresh_rollups()").await;
    let (service, dba) =
        (Login::of(&database, "vitals_service").await, Login::of(&database, "vitals_dba").await);
    let hostile = hostile(&database).await.sees_all_tenants(&database).await;
    let (admin, service, dba, board) =
        (database.client().await, service.client().await, dba.client().await, hostile.client().await);
    let calls = [
        (&board, "select * from dashboard.device"),
        (&board, "select * from dashboard.health_daily"),
        (&board, "select dashboard.use_tenant(41)"),
        (&dba, "update policy set keep_for = '2 years' where relation = 'workout'"),
        (&dba, "update policy set keep_for = '1 year' where relation = 'health_data'"),
        (&dba, "select request_refresh(now() - interval '1 day', now())"),
        (&dba, "call apply_policies()"),
        (&service, "call apply_policies()"),
        (&service, "select vitals.publish_live_from()"),
        (&service, "select vitals.delete_old_rows('workout', 10)"),
        (&service, "select vitals.drop_oldest_chunk('health_data')"),
        (&service, "select vitals.compress_oldest_chunk('health_data')"),
        (&admin, "call refresh_rollups()"),
        (&admin, "call refresh_rollups(now() - interval '2 days', now())"),
        (&admin, "call vitals.refresh_rollups_job(0, '{}')"),
        (&admin, "call vitals.apply_policies_job(0, '{}')"),
        (&admin, "insert into vitals.dashboard_tenant values ('vitals_dba', 41)"),
    ];
    for (client, sql) in calls {
        if let Err(error) = client.batch_execute(sql).await {
            let said = error.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default();
            // Or what it would say anyway, where the rollups are behind.
            let is_refused =
                said.contains("in schema public could be called in place of") || said.starts_with("policy: ");
            assert!(is_refused, "{sql}: {error:?}");
        }
    }
    let refusal = roles::apply(&database.settings()).await.expect_err("refused").to_string();
    assert!(refusal.contains("nothing was done: schema public contains"), "{refusal}");
    // A role that owns something could not be dropped.
    admin.batch_execute(&format!("drop owned by {} cascade", hostile.name)).await.expect("dropped");
}

#[tokio::test]
async fn a_database_with_functions_of_others_is_not_served_and_says_why() {
    let database = Database::new().await;
    let login = hostile(&database).await;
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    let error = app::Service::start(database.settings(), recorder).await.expect_err("refused");
    let refusal = format!("{error:#}");
    assert!(
        refusal.contains(&format!("function public.format(text,text) of role {}", login.name)),
        "{refusal}"
    );
    let check = vitals(&database, &["check"]).await;
    assert_eq!(check.code, 1);
    for what in ["operator public.=(text,character varying)", "everybody may create in it"] {
        assert!(check.out.contains(what), "{what}: {}", check.out);
    }
    let migrated = migrate::run(&database.settings()).await.expect_err("refused").to_string();
    assert!(migrated.contains("public.drop_chunks("), "{migrated}");
    // It ends with the session that is dropped; a role that owns something would stay.
    run(&database, &format!("drop owned by {} cascade", login.name)).await;
    migrate::run(&database.settings()).await.expect("migrates");
    let check = vitals(&database, &["check"]).await;
    assert_eq!(check.code, 0, "{}", check.out);
    login.client().await.batch_execute(TRAPS).await.expect_err("schema public is closed again");
}
