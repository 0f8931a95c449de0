//! `/admin/policies`: how long rows are kept, the plan of the next enforcement, and a change of one value after its plan was shown.
//!
//! Before: a browser. After: `store::policy`, as `vitals policy` uses it.
//! Promise: a plan changes nothing; a change stands under the name of who confirmed it, and is refused if the value has changed since its plan.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{actor, done, show};
use crate::language::{Text, text};
use crate::page::admin::AdminSection;
use crate::page::admin::policies::{self, PolicyPreview, PolicyRow, PolicyStepRow};
use crate::store::policy::{self, PlannedStep, Policy, PolicyChange, PolicySession};

/// The policies, and what their next enforcement would do
#[utoipa::path(get, path = "/admin/policies", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_policies(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    page(&state, &mut reader, flash, None).await
}

/// The plan of a change, or the change itself, by the form of a page
#[utoipa::path(post, path = "/admin/policies", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "What the change would do", content_type = "text/html", body = String),
        (status = 303, description = "Back to the policies"), BodyErrors))]
pub(in crate::http) async fn post_admin_policies(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    fields: FormFields,
) -> Response {
    if fields.text("action") == Some("save") {
        let outcome = save(&state, &reader, &fields).await;
        return done(&state, &reader, AdminSection::Policies.path(), outcome);
    }
    match preview(&state, &fields).await {
        Ok(preview) => page(&state, &mut reader, Flash::of(None), Some(&preview)).await,
        Err(error) => done(&state, &reader, AdminSection::Policies.path(), Err(error)),
    }
}

async fn page(
    state: &State,
    reader: &mut PageReader,
    flash: Flash,
    preview: Option<&PolicyPreview>,
) -> Response {
    let reading = state.query(async {
        let found = policy::list(&state.store).await?;
        let plan = PolicySession::open(&state.store).await?.plan(None).await?;
        Ok((found, plan))
    });
    match reading.await {
        Ok((found, plan)) => {
            let rows: Vec<PolicyRow> = found.into_iter().map(row).collect();
            let content = policies::body(&reader.frame, &rows, &step_rows(plan), preview);
            show(reader, AdminSection::Policies, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// A change as it was typed.
struct Typed<'a> {
    relation: &'a str,
    value: &'a str,
    to: &'a str,
    change: PolicyChange<'a>,
}

fn typed(fields: &FormFields) -> Result<Typed<'_>, ApiError> {
    let named = |name| fields.text(name).unwrap_or_default();
    let (relation, value, to) = (named("relation"), named("value"), named("to"));
    let change = PolicyChange::of(value, to).ok_or_else(|| ApiError::Bad(text!("policy-absent")))?;
    Ok(Typed { relation, value, to, change })
}

/// The value as it is now.
async fn present(state: &State, typed: &Typed<'_>) -> Result<String, ApiError> {
    let found = state.query(policy::list(&state.store)).await?;
    let found = found.into_iter().find(|policy| policy.relation == typed.relation);
    found.map(|policy| row(policy).value(typed.value)).ok_or_else(|| ApiError::Absent(text!("policy-absent")))
}

async fn preview(state: &State, fields: &FormFields) -> Result<PolicyPreview, ApiError> {
    let typed = typed(fields)?;
    let from = present(state, &typed).await?;
    let (before, after) = state
        .query(async {
            let mut session = PolicySession::open(&state.store).await?;
            let before = session.plan(Some(typed.relation)).await?;
            Ok((before, session.set(typed.relation, &typed.change, None).await?.unwrap_or_default()))
        })
        .await?;
    Ok(PolicyPreview {
        relation: typed.relation.to_owned(),
        value: typed.value.to_owned(),
        from,
        to: typed.to.to_owned(),
        drops_more: policy::drops_more(&before, &after),
        before: step_rows(before),
        after: step_rows(after),
    })
}

async fn save(state: &State, reader: &PageReader, fields: &FormFields) -> Result<Text, ApiError> {
    let typed = typed(fields)?;
    if present(state, &typed).await? != fields.text("from").unwrap_or_default() {
        return Err(ApiError::InTheWay(text!("policy-changed-meanwhile", relation = typed.relation)));
    }
    let by = actor(reader);
    let changed = state
        .query(async {
            let mut session = PolicySession::open(&state.store).await?;
            session.set(typed.relation, &typed.change, Some(by)).await
        })
        .await?;
    if changed.is_none() {
        return Err(ApiError::Absent(text!("policy-absent")));
    }
    tracing::info!(relation = typed.relation, value = typed.value, to = typed.to, by, "a policy was changed");
    Ok(text!("policy-changed", relation = typed.relation))
}

fn row(policy: Policy) -> PolicyRow {
    let (applied_at, held) = policy.run.map(|run| (run.applied_at, run.held)).unzip();
    PolicyRow {
        relation: policy.relation,
        keep_for: policy.keep_for,
        compress_after: policy.compress_after,
        refresh_every: policy.refresh_every,
        refresh_lag: policy.refresh_lag,
        keep_bytes: policy.keep_bytes,
        changed: policy.changed,
        applied_at,
        held: held.flatten(),
    }
}

fn step_rows(plan: Vec<PlannedStep>) -> Vec<PolicyStepRow> {
    let row = |step: PlannedStep| PolicyStepRow {
        relation: step.relation,
        action: step.action,
        until: step.until,
        rows: step.rows,
        bytes: step.bytes,
        note: step.note,
    };
    plan.into_iter().map(row).collect()
}
