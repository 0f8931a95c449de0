//! `vitals check`: whether everything the service needs is there, and what the edition of TimescaleDB means.
//!
//! Before: an operator or a container's start script. After: one line a finding, exit code 1 if one of them is bad.

use std::process::ExitCode;

use jiff::{Timestamp, ToSpan, Unit};

use crate::cache::Cache;
use crate::config::{Authentication, Settings};
use crate::keys::Known;
use crate::model::api_key::Presented;
use crate::store::rollups::{self, Edition, RollupStatus};
use crate::store::{Store, api_key, device_config, erasure, migrate, outbox, policy, schema};

/// Looks at everything and tells.
///
/// # Errors
/// PostgreSQL cannot be reached: then nothing else can be told.
pub async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    let mut report = Report { good: true };
    let (client, _driver) = store.session().await?;
    report.good("PostgreSQL", "answers");
    match rollups::edition(&client).await {
        Ok(edition) => report.good("TimescaleDB", meaning(edition)),
        Err(error) => report.bad("TimescaleDB", &error.to_string()),
    }
    if schema(&mut report, &store).await? {
        for status in rollups::status(&client).await? {
            rollup(&mut report, settings, &status);
        }
        policies(&mut report, &store, rollups::edition(&client).await?).await?;
        keys(&mut report, settings, &store).await?;
        waiting(&mut report, &store).await?;
        erasures(&mut report, &store).await?;
    }
    match Cache::new(settings)?.connect().await {
        Ok(()) => report.good("Redis", "answers"),
        Err(error) => {
            report.bad("Redis", &format!("{error}; uploads are taken, latest values wait for it"));
        }
    }
    Ok(if report.good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the schema is this program's and as it was applied; true where the rest can be looked at.
async fn schema(report: &mut Report, store: &Store) -> anyhow::Result<bool> {
    let state = schema::state(store).await?;
    if let Some(complaint) = state.complaint() {
        report.bad("schema", &complaint);
        return Ok(state == schema::State::OtherFunctions);
    }
    report.good("schema", &format!("version {}", migrate::head()));
    let findings = schema::findings(store).await?;
    for change in findings.changes {
        report.bad("schema", &format!("not as `vitals migrate` left it: {change}; run it again"));
    }
    for foreign in findings.foreign_functions {
        report.bad("schema public", &format!("{foreign} could be run instead of what is meant: drop it"));
    }
    if let Some(owner) = findings.open_public {
        let text =
            format!("everybody may create in it: as {owner}, `revoke create on schema public from public`");
        report.bad("schema public", &text);
    }
    Ok(true)
}

const fn meaning(edition: Edition) -> &'static str {
    match edition {
        Edition::Community => {
            "Community edition: the rollups are continuous aggregates, refreshed by a job of TimescaleDB"
        }
        Edition::Apache => {
            "Apache edition: the rollups are refreshed by refresh_rollups(), which one instance of `vitals serve` calls; \
             there is no compression"
        }
    }
}

fn rollup(report: &mut Report, settings: &Settings, status: &RollupStatus) {
    let watermark = status
        .watermark
        .map_or_else(|| "nothing materialised yet".into(), |at| format!("materialised to {at}"));
    let refreshed = match status.refreshed_at {
        Some(at) => format!("refreshed {} ago", ago(at)),
        None => "never refreshed".into(),
    };
    let text = format!("zone {}, {watermark}, {} changes pending, {refreshed}", status.zone, status.pending);
    if status.zone == "UTC" || status.zone == settings.rollup_time_zone {
        report.good(&status.name, &text);
    } else {
        let wanted = &settings.rollup_time_zone;
        report.bad(&status.name, &format!("{text}; but rollup_time_zone is {wanted}, see `vitals migrate`"));
    }
}

/// What a policy says and is not done.
async fn policies(report: &mut Report, store: &Store, edition: Edition) -> anyhow::Result<()> {
    let policies = policy::list(store).await?;
    let last = policies.iter().filter_map(|policy| Some(policy.run.as_ref()?.applied_at)).max();
    let text = last.map_or_else(|| "not applied yet".to_owned(), |at| format!("applied {} ago", ago(at)));
    report.good("policies", &text);
    for policy in policies {
        if let Some(after) = policy.compress_after.filter(|_| edition == Edition::Apache) {
            let cannot =
                format!("to be compressed after {after}, which the Apache edition cannot: it stays as it is");
            report.good(&policy.relation, &cannot);
        }
        if let Some(held) = policy.run.and_then(|run| run.held) {
            report.good(&policy.relation, &format!("retention waits: {held}"));
        }
    }
    Ok(())
}

async fn waiting(report: &mut Report, store: &Store) -> anyhow::Result<()> {
    match outbox::measure(store).await?.waiting {
        0 => report.good("outbox", "empty: everything committed was reacted to"),
        waiting => {
            report.good("outbox", &format!("{waiting} transactions wait for a relay (`vitals serve`)"))
        }
    }
    Ok(())
}

/// Who may ask, and whether what watches are told lets them.
async fn keys(report: &mut Report, settings: &Settings, store: &Store) -> anyhow::Result<()> {
    if settings.authentication == Authentication::Off {
        report.good("keys", &format!("nobody is asked for one; it listens on {}", settings.listen));
        return Ok(());
    }
    match api_key::measure(store).await? {
        0 => {
            report.bad("keys", "everybody is asked for one and there is none: `vitals keys create` makes one")
        }
        in_force => report.good("keys", &format!("{in_force} keys in force")),
    }
    for told in device_config::headers(store).await? {
        let tenant = told.customer_id;
        let name = format!("{} of tenant {tenant}", told.name);
        let Some(key) = Presented::of_header(&told.auth_header) else {
            report.bad(&name, "auth_header holds no key: watches are refused");
            continue;
        };
        let kept = api_key::find(store, key.key_id).await?;
        let of = kept.as_ref().map(|kept| kept.customer_id);
        let does = kept.is_some_and(|kept| Known::of(key.key_id, kept).admits(&key, Timestamp::now()));
        if !does {
            report.bad(&name, "auth_header holds a key that does no longer: watches are refused");
        } else if of != Some(Some(tenant)) {
            let told = "auth_header holds a key of another tenant, or of every one, and who has the serial of a watch gets it";
            report.bad(&name, told);
        }
    }
    Ok(())
}

/// What is erased and still shown.
async fn erasures(report: &mut Report, store: &Store) -> anyhow::Result<()> {
    match erasure::Desk::open(store).await?.pending().await?.len() {
        0 => {}
        pending => {
            let text = format!("{pending} that Redis has not followed: run `vitals erase finish`");
            report.bad("erasures", &text);
        }
    }
    Ok(())
}

fn ago(at: Timestamp) -> String {
    let span = Timestamp::now().since((Unit::Second, at)).unwrap_or_else(|_| 0.seconds());
    format!("{:.0} s", span.total(Unit::Second).unwrap_or_default())
}

struct Report {
    good: bool,
}

impl Report {
    fn good(&mut self, what: &str, finding: &str) {
        println!("ok    {what}: {finding}");
    }

    fn bad(&mut self, what: &str, finding: &str) {
        self.good = false;
        println!("BAD   {what}: {finding}");
    }
}
