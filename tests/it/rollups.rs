//! The rollups against a recomputation from raw rows, row by row, whatever happens to the raw rows on the way.
//!
//! The recomputation knows nothing of ours: it cuts with `date_trunc` at the zone and with epoch seconds, not with
//! `time_bucket`, and goes from raw rows to every level at once. The relay does not run here; [`react`] stands in for it.

use std::fmt::Write;

use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use vitals::metric::{Kind, Metric, SqlType};
use vitals::schedule;
use vitals::store::rollups::{self, Edition};
use vitals::store::{Store, StoreError, migrate};

use crate::harness::{Database, eventually};

const LEVELS: [&str; 5] = ["health_15m", "health_hourly", "health_daily", "health_weekly", "health_monthly"];
const TOTALS: [&str; 3] = ["step", "distance", "calorie"];

/// Everything `level` should hold, from raw rows alone.
fn expected(level: &str, zone: &str) -> String {
    let bucket = match level {
        "health_15m" => "to_timestamp(floor(extract(epoch from ts) / 900) * 900)".to_owned(),
        "health_hourly" => "to_timestamp(floor(extract(epoch from ts) / 3600) * 3600)".to_owned(),
        "health_daily" => format!("date_trunc('day', ts, '{zone}')"),
        "health_weekly" => format!("date_trunc('week', ts, '{zone}')"),
        "health_monthly" => format!("date_trunc('month', ts, '{zone}')"),
        other => panic!("no level {other}"),
    };
    let mut columns = String::new();
    for metric in Metric::ALL {
        let column = metric.column();
        match metric.kind() {
            Kind::VitalSign => {
                write!(
                    columns,
                    ", min({column}), max({column}), sum({column}), count({column}), avg({column})"
                )
                .expect("text");
            }
            Kind::DayTotal => {
                write!(columns, ", max({column})").expect("text");
                if matches!(level, "health_weekly" | "health_monthly") {
                    write!(columns, ", (sum({column}) filter (where last_of_day_{column}))").expect("text");
                }
            }
            Kind::Position => {}
        }
    }
    // One row of each day, the one with the largest total, stands for the day.
    let days: String = TOTALS
        .iter()
        .map(|total| {
            format!(
                ", {total} is not null and row_number() over (partition by device_sn, date_trunc('day', ts, '{zone}')
                     order by {total} desc nulls last) = 1 as last_of_day_{total}"
            )
        })
        .collect();
    format!(
        "select device_sn, {bucket} as bucket, count(*), min(ts), max(ts) {columns}
         from (select * {days} from health_data) as raw group by device_sn, {bucket}"
    )
}

/// Holds every level against raw rows; `when` says at which point.
async fn assert_equal_to_raw(client: &Client, zone: &str, when: &str) {
    for level in LEVELS {
        let row = client
            .query_one(
                &format!(
                    "with found as (select * from {level}), wanted as ({})
                     select (select count(*) from found), (select count(*) from wanted),
                         (select min(x::text) from (table found except all table wanted) as x),
                         (select min(x::text) from (table wanted except all table found) as x)",
                    expected(level, zone)
                ),
                &[],
            )
            .await
            .expect("a comparison");
        let (found, wanted): (i64, i64) = (row.get(0), row.get(1));
        let (odd, missing): (Option<&str>, Option<&str>) = (row.get(2), row.get(3));
        assert!(
            odd.is_none() && missing.is_none(),
            "{level} {when}: {found} rows for {wanted};\n   found {odd:?}\n  wanted {missing:?}"
        );
    }
}

/// Random samples of `devices` devices every `every`, two of three left out, one of eight vital signs NULL, totals that
/// grow and start again. What is there already is filled where it was NULL, as the service does it.
async fn upload(client: &Client, seed: f64, devices: i32, from: &str, to: &str, every: &str) {
    client
        .batch_execute(&format!(
            "select setseed({seed});
             insert into health_data as known (device_sn, ts, heart_rate, blood_oxygen, temperature, pressure_high,
                 pressure_low, stress, step, distance, calorie, respiratory_rate, heart_rate_variability, blood_glucose,
                 skin_temperature)
             select 'D' || d, at + make_interval(secs => floor(random() * 60)),
                 case when random() > 0.125 then 40 + floor(random() * 120) end,
                 case when random() > 0.125 then 85 + floor(random() * 15) end,
                 case when random() > 0.125 then round((35 + random() * 5)::numeric, 1 + (random() * 2)::integer) end,
                 case when random() > 0.125 then 100 + floor(random() * 50) end,
                 case when random() > 0.125 then 60 + floor(random() * 40) end,
                 case when random() > 0.125 then 1 + floor(random() * 99) end,
                 case when random() > 0.125 then floor(random() * 20000) end,
                 case when random() > 0.125 then round((random() * 15000)::numeric, 1) end,
                 case when random() > 0.125 then round((random() * 500000)::numeric, 1) end,
                 case when random() > 0.125 then round((8 + random() * 20)::numeric, 1) end,
                 case when random() > 0.125 then round((10 + random() * 90)::numeric, 1) end,
                 case when random() > 0.5 then round((3 + random() * 10)::numeric, 1 + (random())::integer) end,
                 case when random() > 0.125 then round((30 + random() * 7)::numeric, 2) end
             from generate_series(1, {devices}) as d,
                 generate_series({from}, {to}, interval '{every}') as at
             where random() < 0.33
             on conflict (device_sn, ts) do update set
                 batch_id = excluded.batch_id,
                 heart_rate = coalesce(known.heart_rate, excluded.heart_rate),
                 temperature = coalesce(known.temperature, excluded.temperature),
                 step = coalesce(known.step, excluded.step)"
        ))
        .await
        .expect("uploaded");
}

/// One sample.
async fn one_row(client: &Client, device: &str, ts: &str) {
    client
        .batch_execute(&format!(
            "insert into health_data (device_sn, ts, heart_rate, step) values ('{device}', {ts}, 177, 12345)"
        ))
        .await
        .expect("inserted");
}

/// What the relay does with all outbox rows, as far as the database is concerned.
async fn react(client: &Client) {
    client
        .batch_execute(
            "with claimed as (
                 update outbox set lease_token = '00000000-0000-4000-8000-000000000000', leased_until = 'infinity'
                 returning batch_id
             ), batches as (
                 select array_agg(batch_id) as ids from claimed
             )
             select ids into temporary claimed_batches from batches where ids is not null;
             select vitals.prepare_batches(
                 '00000000-0000-4000-8000-000000000000', ids, null,
                 (select min(ts) from health_data where batch_id = any (ids)),
                 (select max(ts) from health_data where batch_id = any (ids)), false)
             from claimed_batches;
             select vitals.finish_batches('00000000-0000-4000-8000-000000000000', ids, null, null, null)
             from claimed_batches;
             drop table claimed_batches;",
        )
        .await
        .expect("reacted");
    let left: i64 = client.query_one("select count(*) from outbox", &[]).await.expect("a count").get(0);
    assert_eq!(left, 0);
}

async fn refresh(client: &Client) {
    rollups::refresh(client, None).await.expect("refreshed");
}

/// Midnight UTC of the last Sunday of a month of last year: when clocks change in Europe.
fn last_sunday(month: u8) -> String {
    format!(
        "(select (d - extract(dow from d)::integer)::timestamp at time zone 'UTC'
          from (select make_date(extract(year from now())::integer - 1, {month}, 31) as d) as month_end)"
    )
}

/// The same life for every zone: history (oldest first), live rows, late rows, repeats, and a DBA who changes and deletes.
async fn assert_equal_through_a_life(zone: &str, seed: f64, history: &[(String, String)]) {
    let database = Database::in_zone(zone).await;
    let client = database.client().await;
    upload(&client, seed, 2, "now() - interval '20 minutes'", "now()", "1 minute").await;
    assert_equal_to_raw(&client, zone, "before any refresh").await;
    for (from, to) in history {
        upload(&client, seed, 3, from, to, "17 minutes").await;
    }
    react(&client).await;
    refresh(&client).await;
    assert_equal_to_raw(&client, zone, "after the first refresh").await;

    upload(&client, -seed, 3, "now() - interval '20 minutes'", "now()", "1 minute").await;
    assert_equal_to_raw(&client, zone, "with live rows").await;
    react(&client).await;

    for (from, to) in history {
        upload(&client, seed / 2.0, 4, from, to, "3 hours").await;
        // The very same again: duplicates that change nothing, and some that fill.
        upload(&client, seed, 3, from, to, "17 minutes").await;
        react(&client).await;
    }
    refresh(&client).await;
    assert_equal_to_raw(&client, zone, "after late rows and repeats").await;

    client
        .batch_execute(
            "delete from health_data where device_sn = 'D2' and extract(hour from ts) between 3 and 9;
             update health_data set heart_rate = 99, step = null where device_sn = 'D1' and extract(minute from ts) < 7;
             update health_data set device_sn = 'D9' where device_sn = 'D3' and extract(hour from ts) = 22",
        )
        .await
        .expect("changed by hand");
    react(&client).await;
    refresh(&client).await;
    assert_equal_to_raw(&client, zone, "after changes by hand").await;

    let everything = ("2020-01-01T00:00:00Z".parse().expect("a time"), jiff::Timestamp::now());
    rollups::refresh(&client, Some(everything)).await.expect("refreshed");
    assert_equal_to_raw(&client, zone, "after a refresh by force").await;
}

#[tokio::test]
async fn rollups_equal_raw_rows_across_both_clock_changes_in_berlin() {
    let around = |month| {
        let day = last_sunday(month);
        (format!("{day} - interval '2 days'"), format!("{day} + interval '2 days'"))
    };
    assert_equal_through_a_life("Europe/Berlin", 0.11, &[around(3), around(10)]).await;
}

#[tokio::test]
async fn rollups_equal_raw_rows_in_shanghai() {
    let history = [("now() - interval '40 days'".to_owned(), "now() - interval '32 days'".to_owned())];
    assert_equal_through_a_life("Asia/Shanghai", 0.12, &history).await;
}

#[tokio::test]
async fn rollups_equal_raw_rows_in_a_half_hour_zone() {
    let history = [("now() - interval '6 days'".to_owned(), "now()".to_owned())];
    assert_equal_through_a_life("Asia/Kolkata", 0.13, &history).await;
}

#[tokio::test]
async fn rollups_made_over_history_show_it_before_and_after_the_first_refresh() {
    let database = Database::new().await;
    let client = database.client().await;
    one_row(&client, "D7", "now() - interval '400 days'").await;
    upload(&client, 0.2, 2, "now() - interval '50 days'", "now()", "2 hours").await;
    react(&client).await;
    client.batch_execute("select vitals.drop_rollups()").await.expect("dropped");
    let mut settings = database.settings();
    settings.rollup_time_zone = "America/New_York".into();
    migrate::run(&settings).await.expect("made anew, in another zone");
    assert_equal_to_raw(&client, "America/New_York", "before").await;
    refresh(&client).await;
    assert_equal_to_raw(&client, "America/New_York", "after").await;
}

/// Samples of five days that come to the ends of what a bucket can be: one reading, two, many, none; decimals of several lengths;
/// the first and the last microsecond; the largest numbers.
const ODD_SAMPLES: &str = "
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, pressure_high, stress, step, distance, calorie)
    select 'ODD ' || (day % 2), date_trunc('day', now()) - day * interval '1 day' + at::interval, heart_rate, blood_oxygen,
        temperature::numeric, pressure_high, stress, step, distance::numeric, 0.10
    from generate_series(2, 6) as day, (values
        ('01:00', 60, null, '36.5', 32767, 1, 5, '1.0'),
        ('02:00', null, null, null, null, null, null, null),
        ('03:00', 61, 90, '36.50', null, 2, 6, '1.50'), ('03:14:59.999999', 62, null, '37.125', 1, 3, null, null),
        ('04:00', 70, 91, '36.5', 120, null, 7, '2'), ('04:05', 70, 91, '36.5', 120, 4, 7, '2.0'),
        ('05:00:00.000001', 1, 2, '30', 32767, 9, 0, '3'), ('05:01', 32767, 32767, '39.9', 32767, 7, 1, '4'),
        ('05:02', 32767, 32767, '40.25', 32767, 9, 1, '4'), ('05:03', 32766, null, '41', 32767, 9, 1, '4'),
        ('06:00', null, 95, 'NaN', 100, null, null, null), ('06:01', 90, null, null, 101, null, null, null)
    ) as v (at, heart_rate, blood_oxygen, temperature, pressure_high, stress, step, distance)";

/// Every rollup as text, to the last decimal.
async fn as_text(client: &Client) -> Vec<String> {
    let mut all = Vec::new();
    for level in LEVELS {
        let rows = client
            .query(&format!("select '{level} ' || x::text from {level} as x order by device_sn, bucket"), &[])
            .await
            .expect("rows");
        all.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    all
}

#[tokio::test]
async fn what_is_materialised_is_told_to_the_last_decimal() {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute(ODD_SAMPLES).await.expect("samples");
    let definition: String = client
        .query_one("select definition from vitals.rollup where name = 'health_15m'", &[])
        .await
        .expect("a definition")
        .get(0);
    let computed: Vec<String> = client
        .query(
            &format!("select 'health_15m ' || x::text from ({definition}) as x order by device_sn, bucket"),
            &[],
        )
        .await
        .expect("rows")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(computed.len(), 5 * 6);
    react(&client).await;
    refresh(&client).await;
    let told = as_text(&client).await;
    assert_eq!(told[..computed.len()], computed);
    assert_equal_to_raw(&client, "Asia/Shanghai", "at the ends").await;

    if rollups::edition(&client).await.expect("an edition") == Edition::Community {
        eprintln!("skipped: continuous aggregates are not made anew");
        return;
    }
    // As they were kept before migration V37, and their raw rows gone.
    for level in LEVELS {
        client
            .batch_execute(&format!(
                "create table vitals.made_before as select * from vitals.{level}_decoded;
                 do $$ begin execute (select format('create or replace view public.{level} as select * from vitals.made_before
                     where bucket < (select watermark from vitals.rollup where name = ''{level}'') union all (with %I as (select * from
                     public.%I where %I >= (select watermark from vitals.rollup where name = ''{level}'')) %s)', source, source,
                     case source when 'health_data' then 'ts' else 'bucket' end, definition)
                 from vitals.rollup where name = '{level}'); end $$;
                 drop table vitals.{level}_materialised cascade;
                 alter table vitals.made_before rename to {level}_materialised;
                 select create_hypertable('vitals.{level}_materialised', 'bucket', chunk_time_interval => interval '1 day',
                     migrate_data => true);
                 alter table vitals.{level}_materialised add constraint {level}_materialised_pkey primary key (device_sn, bucket)"
            ))
            .await
            .expect("as before");
    }
    client
        .batch_execute("delete from vitals.rollup_chunk where rollup <> 'health_15m'; select vitals.refreshable(r, now() - interval '9 days', now()) from vitals.rollup as r;
            select drop_chunks('health_data', now() - interval '4 days')")
        .await
        .expect("dropped");
    assert_eq!(as_text(&client).await, told);
    migrate::run(&database.settings()).await.expect("migrates");
    assert_eq!(as_text(&client).await, told);
    let narrow =
        "select count(*) from pg_attribute where attname = 'heart_rate_avg' and attrelid = any (array(
        select format('vitals.%I', name || '_materialised')::regclass from vitals.rollup)::oid[])";
    assert_eq!(client.query_one(narrow, &[]).await.expect("a count").get::<_, i64>(0), 0);
    // What still has raw rows is computed again, through all levels; nothing else.
    one_row(&client, "ODD 0", "date_trunc('day', now()) - interval '2 days' + interval '1 hour 1 minute'")
        .await;
    one_row(&client, "ODD 0", "date_trunc('day', now()) - interval '6 days' + interval '1 hour 1 minute'")
        .await;
    react(&client).await;
    refresh(&client).await;
    let now = as_text(&client).await;
    let changed = now.iter().filter(|row| !told.contains(row)).count();
    assert_eq!((now.len(), changed), (told.len(), 5), "{now:#?}");
}

#[tokio::test]
async fn a_late_row_shows_by_itself_whether_the_scheduler_of_timescaledb_lives_or_not() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.4, 2, "now() - interval '3 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    client
        .batch_execute(
            "update policy set refresh_every = '100 milliseconds' where relation like 'health\\__%'",
        )
        .await
        .expect("policy");
    migrate::run(&database.settings()).await.expect("the job follows the policy");
    let store = Store::new(&database.settings()).expect("a store");
    let stop = CancellationToken::new();
    // Two instances of the service, as in production.
    let clocks = [(); 2].map(|()| tokio::spawn(schedule::rollups::run(store.clone(), stop.clone())));

    let shows = async |device: &'static str| {
        one_row(&client, device, "now() - interval '2 days'").await;
        react(&client).await;
        let query = "select max(heart_rate_max) from health_monthly where device_sn = $1";
        eventually("the late row shows in the month", || async {
            let row = client.query_one(query, &[&device]).await.expect("a row");
            (row.get::<_, Option<i16>>(0) == Some(177)).then_some(())
        })
        .await;
    };
    shows("D1").await;
    if rollups::edition(&client).await.expect("an edition") == Edition::Community {
        client
            .batch_execute("select _timescaledb_functions.stop_background_workers()")
            .await
            .expect("stopped");
        shows("D2").await;
    }
    stop.cancel();
    for clock in clocks {
        clock.await.expect("ends when asked to");
    }
}

#[tokio::test]
async fn a_late_row_shows_in_every_rollup_after_one_refresh_which_writes_no_other_bucket() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.4, 20, "now() - interval '70 days'", "now()", "6 hours").await;
    react(&client).await;
    refresh(&client).await;
    one_row(&client, "D1", "now() - interval '65 days'").await;
    react(&client).await;
    let before = buckets_written(&client).await;
    refresh(&client).await;
    let written = buckets_written(&client).await - before;
    assert_eq!(written, 2, "one quarter hour and one hour");
    for level in LEVELS {
        let shown = format!("select count(*) from {level} where device_sn = 'D1' and heart_rate_max = 177");
        let shown = client.query_one(&shown, &[]).await.expect("a count");
        assert_eq!(shown.get::<_, i64>(0), 1, "{level}");
    }
    assert_equal_to_raw(&client, "Asia/Shanghai", "after the late row").await;
}

/// Rows ever inserted into quarter hours and hours of more than 30 days ago.
async fn buckets_written(client: &Client) -> i64 {
    client.batch_execute("select pg_stat_force_next_flush()").await.expect("flushed");
    client
        .query_one(
            "select sum(s.n_tup_ins)::bigint
             from vitals.policy_relations() as p
             join timescaledb_information.chunks as c
                 on c.hypertable_schema = p.schema_name and c.hypertable_name = p.table_name
             join pg_stat_user_tables as s on s.relname = c.chunk_name and s.schemaname = c.chunk_schema
             where p.relation in ('health_15m', 'health_hourly') and c.range_end < now() - interval '30 days'",
            &[],
        )
        .await
        .expect("statistics")
        .get(0)
}

#[tokio::test]
async fn a_dba_may_refresh_by_the_means_of_timescaledb() {
    let database = Database::new().await;
    let client = database.client().await;
    if rollups::edition(&client).await.expect("an edition") == Edition::Apache {
        eprintln!("skipped: the Apache edition has no continuous aggregates");
        return;
    }
    upload(&client, 0.4, 3, "now() - interval '70 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    one_row(&client, "D1", "now() - interval '65 days'").await;
    react(&client).await;
    refresh(&client).await;
    // Its own log of changes still holds the late row.
    for level in LEVELS {
        client
            .batch_execute(&format!(
                "call refresh_continuous_aggregate('{level}', now() - interval '69 days', now() - interval '1 hour')"
            ))
            .await
            .expect("refreshed");
    }
    assert_equal_to_raw(&client, "Asia/Shanghai", "after its own refresh").await;
}

#[tokio::test]
async fn a_row_dated_2030_changes_nothing_else() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.5, 2, "now() - interval '3 days'", "now() - interval '2 hours'", "10 minutes").await;
    one_row(&client, "D1", "timestamptz '2130-01-01 00:00:00+00'").await;
    react(&client).await;
    refresh(&client).await;
    // It must not have taken the time between now and then for materialised.
    upload(&client, 0.6, 2, "now() - interval '20 minutes'", "now()", "1 minute").await;
    assert_equal_to_raw(&client, "Asia/Shanghai", "with live rows").await;
    react(&client).await;
    refresh(&client).await;
    assert_equal_to_raw(&client, "Asia/Shanghai", "after a refresh").await;
    for rollup in rollups::status(&client).await.expect("status") {
        assert!(rollup.watermark.is_none_or(|at| at <= jiff::Timestamp::now()), "{rollup:?}");
    }
}

#[tokio::test]
async fn dropped_raw_chunks_leave_every_rollup_row_in_place() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.7, 3, "now() - interval '12 days'", "now()", "30 minutes").await;
    react(&client).await;
    refresh(&client).await;
    for level in LEVELS {
        client.batch_execute(&format!("create table kept_{level} as table {level}")).await.expect("kept");
    }
    client.batch_execute("select drop_chunks('health_data', interval '5 days')").await.expect("dropped");
    let whole_time = ("2020-01-01T00:00:00Z".parse().expect("a time"), jiff::Timestamp::now());
    for range in [None, None, Some(whole_time), None] {
        // A late row into a day that is gone must not take the place of the day.
        one_row(&client, "D1", "date_trunc('hour', now()) - interval '8 days'").await;
        react(&client).await;
        rollups::refresh(&client, range).await.expect("refreshed");
        for level in LEVELS {
            let lost = client
                .query_one(
                    &format!(
                        "select count(*) from (table kept_{level} except all table {level}) as x
                         where bucket < now() - interval '1 hour'"
                    ),
                    &[],
                )
                .await
                .expect("a count");
            assert_eq!(lost.get::<_, i64>(0), 0, "{level}");
        }
        client.batch_execute("delete from health_data where heart_rate = 177").await.expect("deleted");
    }
    // Where raw rows are left, late rows still count.
    one_row(&client, "D1", "now() - interval '3 days'").await;
    react(&client).await;
    refresh(&client).await;
    let shown = client
        .query_one("select count(*) from health_daily where device_sn = 'D1' and heart_rate_max = 177", &[])
        .await
        .expect("a count");
    assert_eq!(shown.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn no_refresh_reaches_behind_the_age_at_which_raw_rows_may_go() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.75, 2, "now() - interval '12 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    client
        .batch_execute("update policy set keep_for = interval '5 days' where relation = 'health_data'")
        .await
        .expect("policy");
    one_row(&client, "D1", "now() - interval '8 days'").await;
    one_row(&client, "D1", "now() - interval '3 days'").await;
    react(&client).await;
    let whole_time = ("2020-01-01T00:00:00Z".parse().expect("a time"), jiff::Timestamp::now());
    for range in [None, Some(whole_time)] {
        rollups::refresh(&client, range).await.expect("refreshed");
        let shown = client
            .query(
                "select last_ts < now() - interval '5 days' from health_15m where heart_rate_max = 177",
                &[],
            )
            .await
            .expect("rows");
        assert_eq!(shown.iter().map(|row| row.get(0)).collect::<Vec<bool>>(), [false]);
    }
}

#[tokio::test]
async fn an_emptied_table_empties_its_rollups_and_begins_anew() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.8, 2, "now() - interval '3 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    client.batch_execute("truncate health_data").await.expect("emptied");
    refresh(&client).await;
    assert_equal_to_raw(&client, "Asia/Shanghai", "after truncate").await;
    upload(&client, 0.9, 2, "now() - interval '3 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    assert_equal_to_raw(&client, "Asia/Shanghai", "after new rows").await;
}

#[tokio::test]
async fn rows_that_arrive_while_a_refresh_runs_are_not_lost() {
    let database = Database::new().await;
    let (refresher, writer) = (database.client().await, database.client().await);
    upload(&writer, 0.14, 20, "now() - interval '2 days'", "now()", "5 minutes").await;
    for round in 0..10 {
        let seed = f64::from(round) / 20.0;
        tokio::join!(refresh(&refresher), async {
            upload(&writer, seed, 20, "now() - interval '30 hours'", "now() - interval '5 hours'", "1 hour")
                .await;
            react(&writer).await;
        });
    }
    refresh(&refresher).await;
    assert_equal_to_raw(&writer, "Asia/Shanghai", "in the end").await;
}

#[tokio::test]
async fn several_refreshes_at_once_do_what_one_does() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.15, 5, "now() - interval '9 days'", "now()", "20 minutes").await;
    react(&client).await;
    for round in 1..4 {
        let clients = [
            database.client().await,
            database.client().await,
            database.client().await,
            database.client().await,
        ];
        let range =
            (round == 2).then(|| ("2020-01-01T00:00:00Z".parse().expect("a time"), jiff::Timestamp::now()));
        let all = clients.iter().map(|client| rollups::refresh(client, range));
        for result in futures_util::future::join_all(all).await {
            result.expect("refreshed");
        }
        assert_equal_to_raw(&client, "Asia/Shanghai", &format!("round {round}")).await;
        upload(&client, 0.16, 5, "now() - interval '8 days'", "now()", "7 hours").await;
        react(&client).await;
    }
}

#[tokio::test]
async fn a_refresh_that_was_broken_off_holds_nobody_up() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.17, 2, "now() - interval '2 days'", "now()", "1 hour").await;
    react(&client).await;
    let broken = database.client().await;
    let cancel = broken.cancel_token();
    let (result, _) =
        tokio::join!(rollups::refresh(&broken, None), cancel.cancel_query(tokio_postgres::NoTls));
    // Broken off or just done: both happen. Its session stays open.
    drop(result);
    if rollups::edition(&client).await.expect("an edition") == Edition::Community {
        // What is left behind when it was broken off between two aggregates.
        broken
            .batch_execute("select pg_advisory_lock(hashtextextended('vitals.rollup', 0))")
            .await
            .expect("locked");
    }
    refresh(&client).await;
    assert_equal_to_raw(&client, "Asia/Shanghai", "after the other session's").await;
}

/// A refresh that works off what is late, held at one day and then at another: by who has locked the marks of that day.
#[tokio::test]
async fn what_is_new_does_not_wait_behind_what_is_late_and_what_was_done_is_kept() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.24, 3, "now() - interval '10 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    let reached = rollups::status(&client).await.expect("status")[0].watermark;
    one_row(&client, "D3", "now() - interval '20 minutes'").await;
    client
        .batch_execute(
            "update policy set refresh_every = '1 millisecond', refresh_lag = '1 second' where refresh_lag is not null",
        )
        .await
        .expect("policy");
    for days in [5, 19] {
        one_row(&client, "D1", &format!("now() - interval '{days} days'")).await;
    }
    react(&client).await;
    let (newer, older) = (database.client().await, database.client().await);
    for (holder, days) in [(&newer, 5), (&older, 19)] {
        let hold = format!(
            "begin; select from vitals.rollup_dirty where to_bucket > now() - interval '{days} days 1 hour'
                 and from_bucket < now() - interval '{days} days' + interval '1 hour' for update"
        );
        holder.batch_execute(&hold).await.expect("held");
    }
    let refresher = database.client().await;
    let cancel = refresher.cancel_token();
    let broken_off = tokio::spawn(async move { rollups::refresh(&refresher, None).await });
    a_delete_of_marks_waits(&client).await;

    one_row(&client, "D2", "now() - interval '2 days'").await;
    react(&client).await;
    newer.batch_execute("rollback").await.expect("let go");
    eventually("the newest shows", || async { (bucket_count(&client, "D2").await == 1).then_some(()) }).await;
    a_delete_of_marks_waits(&client).await;
    assert_eq!(bucket_count(&client, "D1").await, 1, "what is older waits");
    assert!(rollups::status(&client).await.expect("status")[0].watermark > reached, "the clock is followed");

    cancel.cancel_query(tokio_postgres::NoTls).await.expect("asked to stop");
    broken_off.await.expect("no panic").expect_err("broken off");
    assert_eq!(
        (bucket_count(&client, "D1").await, bucket_count(&client, "D2").await),
        (1, 1),
        "what was done is kept"
    );
    older.batch_execute("rollback").await.expect("let go");
    refresh(&client).await;
    assert_eq!(bucket_count(&client, "D1").await, 2);
    assert_equal_to_raw(&client, "Asia/Shanghai", "in the end").await;
}

/// Quarter hours that hold a row of [`one_row`].
async fn bucket_count(client: &Client, device: &str) -> i64 {
    client
        .query_one(
            "select count(*) from health_15m where device_sn = $1 and heart_rate_max = 177",
            &[&device],
        )
        .await
        .expect("a count")
        .get(0)
}

async fn a_delete_of_marks_waits(client: &Client) {
    eventually("a refresh waits for the marks", || async {
        let waiting: bool = client
            .query_one(
                "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                     and wait_event = 'transactionid')",
                &[],
            )
            .await
            .expect("an answer")
            .get(0);
        waiting.then_some(())
    })
    .await;
}

/// The steps of a refresh one by one, a batch at every point between them.
#[tokio::test]
async fn no_row_falls_between_a_batch_and_the_watermark() {
    let database = Database::new().await;
    if rollups::edition(&database.client().await).await.expect("an edition") == Edition::Community {
        eprintln!("skipped: the steps are TimescaleDB's own there");
        return;
    }
    let (step, batch, relay) = (database.client().await, database.client().await, database.client().await);
    let run = async |client: &Client, sql: &str| client.batch_execute(sql).await.expect("runs");
    // A relay that ends a batch with a breach waits for another that does.
    run(&step, "update alert_rule set enabled = false").await;
    refresh(&step).await;
    let reached = rollups::status(&step).await.expect("status")[0].watermark.expect("materialised");
    // Between the watermark and where it goes next.
    let at = |n: u8| format!("timestamptz '{reached}' + interval '{n} seconds'");
    run(&step, "update policy set refresh_lag = '1 second' where refresh_lag is not null").await;

    one_row(&batch, "committed and reacted to before the bound was raised", &at(1)).await;
    react(&relay).await;

    one_row(&batch, "committed before, reacted to in a transaction that ends after everything", &at(2)).await;
    run(&relay, "begin").await;
    react(&relay).await;

    one_row(&batch, "committed before, not reacted to", &at(3)).await;
    run(&step, "select vitals.raise_mark()").await;
    one_row(&batch, "committed after, not reacted to", &at(4)).await;

    run(&batch, "begin").await;
    one_row(&batch, "open while the refresh reads", &at(5)).await;
    run(&step, "begin; select vitals.advance_rollups()").await;
    run(&batch, "commit").await;
    let relay_2 = database.client().await;
    react_to_others(&relay_2).await;
    one_row(&batch, "committed after the refresh has read", &at(6)).await;
    react_to_others(&relay_2).await;
    run(&step, "commit").await;
    run(&relay, "commit").await;

    one_row(&batch, "committed after the watermark", &at(7)).await;
    react(&relay).await;
    refresh(&step).await;
    assert_equal_to_raw(&step, "Asia/Shanghai", "in the end").await;
}

/// As [`react`], leaving out what another relay has locked.
async fn react_to_others(client: &Client) {
    client
        .batch_execute(
            "with free as (select batch_id from outbox for update skip locked)
             update outbox set lease_token = '00000000-0000-4000-8000-000000000001', leased_until = 'infinity'
             where batch_id in (select batch_id from free);
             with batches as (
                 select array_agg(batch_id) as ids from outbox
                 where lease_token = '00000000-0000-4000-8000-000000000001'
             )
             select vitals.prepare_batches(
                 '00000000-0000-4000-8000-000000000001', ids, null,
                 (select min(ts) from health_data where batch_id = any (ids)),
                 (select max(ts) from health_data where batch_id = any (ids)), false)
             from batches where ids is not null;
             delete from outbox where lease_token = '00000000-0000-4000-8000-000000000001'",
        )
        .await
        .expect("reacted");
}

#[tokio::test]
async fn a_delete_that_commits_behind_a_refresh_is_not_lost() {
    let database = Database::new().await;
    let (refresher, writer) = (database.client().await, database.client().await);
    upload(&writer, 0.22, 2, "now() - interval '2 hours'", "now()", "1 minute").await;
    react(&writer).await;
    refresh(&refresher).await;
    writer
        .batch_execute("update policy set refresh_lag = '1 second' where refresh_lag is not null")
        .await
        .expect("policy");
    // Rows on both sides of the watermark go, unseen by the refresh that moves it over them.
    writer.batch_execute("begin; delete from health_data where device_sn = 'D1'").await.expect("deleted");
    refresh(&refresher).await;
    writer.batch_execute("commit").await.expect("committed");
    refresh(&refresher).await;
    assert_equal_to_raw(&writer, "Asia/Shanghai", "in the end").await;
}

#[tokio::test]
async fn a_refresh_opens_only_the_chunks_that_changed() {
    let database = Database::new().await;
    let client = database.client().await;
    if rollups::edition(&client).await.expect("an edition") == Edition::Community {
        eprintln!("skipped: which chunks TimescaleDB opens is its own matter");
        return;
    }
    upload(&client, 0.23, 2, "now() - interval '30 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    one_row(&client, "D1", "date_trunc('day', now(), 'UTC') - interval '20 days 12 hours'").await;
    react(&client).await;
    let before = raw_scans(&client).await;
    refresh(&client).await;
    let after = raw_scans(&client).await;
    let opened = after.iter().zip(&before).filter(|(after, before)| after.1 > before.1).count();
    assert!(after.len() > 25 && opened == 1, "{before:?} {after:?}");
}

/// Scans of each raw chunk so far, those of this session included.
async fn raw_scans(client: &Client) -> Vec<(String, i64)> {
    client.batch_execute("select pg_stat_force_next_flush()").await.expect("flushed");
    client
        .query(
            "select s.relname::text, s.seq_scan + s.idx_scan
             from pg_stat_user_tables as s
             join timescaledb_information.chunks as c on c.chunk_name = s.relname and c.chunk_schema = s.schemaname
             where c.hypertable_name = 'health_data' order by c.range_start",
            &[],
        )
        .await
        .expect("statistics")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

#[tokio::test]
async fn a_reader_sees_one_state_in_one_snapshot() {
    let database = Database::new().await;
    if rollups::edition(&database.client().await).await.expect("an edition") == Edition::Community {
        eprintln!("skipped: how TimescaleDB plans its own views is its own matter");
        return;
    }
    let (client, reader) = (database.client().await, database.client().await);
    upload(&client, 0.18, 3, "now() - interval '3 days'", "now()", "10 minutes").await;
    react(&client).await;
    refresh(&client).await;
    // The watermark will pass over these while the reader reads.
    upload(&client, 0.18, 3, "now() - interval '25 minutes'", "now()", "1 minute").await;
    react(&client).await;
    client
        .batch_execute("update policy set refresh_lag = '1 second' where refresh_lag is not null")
        .await
        .expect("policy");
    reader.batch_execute("begin isolation level repeatable read").await.expect("begun");
    let zone = "Asia/Shanghai";
    assert_equal_to_raw(&reader, zone, "before").await;
    refresh(&client).await;
    assert_equal_to_raw(&reader, zone, "while it is materialised").await;
    one_row(&client, "D1", "now() - interval '2 days'").await;
    client.batch_execute("delete from health_data where device_sn = 'D2'").await.expect("deleted");
    react(&client).await;
    refresh(&client).await;
    assert_equal_to_raw(&reader, zone, "while late rows come and others go").await;
    reader.batch_execute("commit").await.expect("ended");
    assert_equal_to_raw(&reader, zone, "afterwards").await;
}

#[tokio::test]
async fn the_status_names_every_rollup_and_what_waits() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.21, 2, "now() - interval '3 days'", "now()", "1 hour").await;
    react(&client).await;
    refresh(&client).await;
    let status = rollups::status(&client).await.expect("status");
    let names: Vec<&str> = status.iter().map(|rollup| rollup.name.as_str()).collect();
    assert_eq!(names, LEVELS);
    let zones: Vec<&str> = status.iter().map(|rollup| rollup.zone.as_str()).collect();
    assert_eq!(zones, ["UTC", "UTC", "Asia/Shanghai", "Asia/Shanghai", "Asia/Shanghai"]);
    for rollup in &status {
        assert!(rollup.refreshed_at.is_some(), "{rollup:?}");
    }
    if rollups::edition(&client).await.expect("an edition") == Edition::Apache {
        one_row(&client, "D1", "now() - interval '2 days'").await;
        react(&client).await;
        let waiting: Vec<i64> =
            rollups::status(&client).await.expect("status").iter().map(|rollup| rollup.pending).collect();
        assert_eq!(waiting, [1; 5]);
    }
}

#[tokio::test]
async fn another_zone_is_refused_and_named() {
    let database = Database::new().await;
    let mut settings = database.settings();
    settings.rollup_time_zone = "Europe/Berlin".into();
    let refusal = migrate::run(&settings).await.expect_err("refused");
    assert!(matches!(refusal, StoreError::State(_)), "{refusal:?}");
    let words = refusal.to_string();
    for word in ["Asia/Shanghai", "Europe/Berlin", "VITALS_ROLLUP_TIME_ZONE", "health_by_day"] {
        assert!(words.contains(word), "{word} is not in: {words}");
    }
}

#[tokio::test]
async fn another_definition_is_refused_and_named() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute("update vitals.rollup set definition = definition || ' ' where name = 'health_weekly'")
        .await
        .expect("changed");
    let refusal = migrate::run(&database.settings()).await.expect_err("refused");
    assert!(matches!(refusal, StoreError::State(_)), "{refusal:?}");
    assert!(refusal.to_string().contains("health_weekly"), "{refusal}");
}

#[tokio::test]
async fn a_zone_whose_midnight_comes_twice_is_refused() {
    let database = Database::empty("Atlantic/Azores").await;
    let refusal = migrate::run(&database.settings()).await.expect_err("refused");
    assert!(format!("{refusal:?}").contains("occurs twice"), "{refusal:?}");
}

#[tokio::test]
async fn days_of_any_zone_come_from_quarter_hours() {
    let database = Database::new().await;
    let client = database.client().await;
    upload(&client, 0.19, 2, "now() - interval '9 days'", "now()", "11 minutes").await;
    react(&client).await;
    refresh(&client).await;
    for zone in ["America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham", "UTC", "Asia/Shanghai"] {
        let row = client
            .query_one(
                &format!(
                    "with found as (
                         select * from health_by_day('D1', '{zone}', current_date - 6, current_date - 2)
                     ), wanted as (
                         select * from ({}) as days
                         where device_sn = 'D1'
                             and (bucket at time zone '{zone}')::date between current_date - 6 and current_date - 2
                     )
                     select (select count(*) from found),
                         (select count(*) from (table found except all table wanted) as x),
                         (select count(*) from (table wanted except all table found) as x)",
                    expected("health_daily", zone)
                ),
                &[],
            )
            .await
            .expect("a comparison");
        let counts: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
        assert_eq!(counts, [5, 0, 0], "{zone}");
    }
}

#[tokio::test]
async fn every_column_has_one_type_in_both_editions() {
    let database = Database::new().await;
    let client = database.client().await;
    for level in LEVELS {
        let mut wanted = vec!["device_sn text", "bucket timestamptz", "samples int8", "first_ts timestamptz"];
        wanted.push("last_ts timestamptz");
        let mut wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        for metric in Metric::ALL {
            let column = metric.column();
            let (value, sum) = match metric.definition().sql_type {
                SqlType::Smallint => ("int2", "int8"),
                SqlType::Integer => ("int4", "int8"),
                SqlType::Numeric => ("numeric", "numeric"),
                SqlType::DoublePrecision => ("float8", "float8"),
            };
            match metric.kind() {
                Kind::VitalSign => {
                    for (suffix, kind) in
                        [("min", value), ("max", value), ("sum", sum), ("count", "int8"), ("avg", "numeric")]
                    {
                        wanted.push(format!("{column}_{suffix} {kind}"));
                    }
                }
                Kind::DayTotal => {
                    wanted.push(format!("{column}_max {value}"));
                    if matches!(level, "health_weekly" | "health_monthly") {
                        wanted.push(format!("{column}_sum {sum}"));
                    }
                }
                Kind::Position => {}
            }
        }
        let columns = client
            .query(
                "select attname || ' ' || typname as column, col_description(attrelid, attnum) as words
                 from pg_attribute join pg_type on pg_type.oid = atttypid
                 where attrelid = to_regclass($1) and attnum > 0 order by attnum",
                &[&format!("public.{level}")],
            )
            .await
            .expect("columns");
        let found: Vec<&str> = columns.iter().map(|row| row.get("column")).collect();
        assert_eq!(found, wanted, "{level}");
        for row in &columns {
            assert!(
                row.get::<_, Option<&str>>("words").is_some_and(|words| words.len() > 10),
                "{level}: {row:?}"
            );
        }
    }
}
