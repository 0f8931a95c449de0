//! The schema in `vitals check`: whether it serves this program, what is left to apply, which instances run, what was changed by hand.
//!
//! Before: `command::check`. After: its report.

use super::Report;
use crate::store::program::Program;
use crate::store::schema::State;
use crate::store::{Store, instance, migrations, schema};

/// Whether the schema is that of this program and unchanged; true if the other checks can run.
pub(super) async fn check(report: &mut Report, store: &Store) -> anyhow::Result<bool> {
    let state = schema::state(store).await?;
    if let Some(problem) = state.problem(Program::this()) {
        report.bad("schema", &problem);
        return Ok(state == State::OtherFunctions);
    }
    match state {
        State::NewerProgram { program, version } => {
            let text = format!("version {version} of vitals {program}, which serves this older program");
            report.warn("schema", &text);
        }
        State::Current { left } if !left.is_empty() => {
            let left = left.join(", ");
            let text = format!(
                "not applied yet: {left}; run `vitals migrate --contract` once no older program runs"
            );
            report.warn("schema", &text);
        }
        _ => report.good("schema", &format!("version {}", migrations::head())),
    }
    let (client, _driver) = store.session().await?;
    for running in instance::running(&client).await? {
        report.good("instance", &running.to_string());
    }
    let findings = schema::audit(store).await?;
    if findings.changes.is_none() {
        report.good("schema", "not compared with what was applied: another session has locked a table");
    }
    for change in findings.changes.into_iter().flatten() {
        report.bad("schema", &format!("not as `vitals migrate` left it: {change}; run it again"));
    }
    for foreign in findings.foreign_functions {
        report.bad("schema public", &format!("{foreign} could run in place of ours: drop it"));
    }
    if let Some(owner) = findings.writable_public {
        let text =
            format!("everybody may create in it: as {owner}, `revoke create on schema public from public`");
        report.bad("schema public", &text);
    }
    Ok(true)
}
