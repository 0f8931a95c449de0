//! `/admin/policies`: how long rows are kept, and the plan of the next enforcement.
//!
//! Before: a browser. After: `store::policy`. Promise: nothing is changed.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::error::ListErrors;
use super::super::{Flash, PageReader};
use super::show;
use crate::page::admin::AdminSection;
use crate::page::admin::policies::{self, PolicyRow, PolicyStepRow};
use crate::store::policy::{self, PlannedStep, Policy, PolicySession};

/// The policies, and what their next enforcement would do
#[utoipa::path(get, path = "/admin/policies", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_policies(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let reading = state.query(async {
        let found = policy::list(&state.store).await?;
        let plan = PolicySession::open(&state.store).await?.plan(None).await?;
        Ok((found, plan))
    });
    match reading.await {
        Ok((found, plan)) => {
            let rows: Vec<PolicyRow> = found.into_iter().map(row).collect();
            let steps: Vec<PolicyStepRow> = plan.into_iter().map(step).collect();
            let content = policies::body(&reader.frame, &rows, &steps);
            show(&mut reader, AdminSection::Policies, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

fn row(policy: Policy) -> PolicyRow {
    let (applied_at, held) = policy.run.map(|run| (run.applied_at, run.held)).unzip();
    PolicyRow {
        relation: policy.relation,
        keep_for: policy.keep_for,
        compress_after: policy.compress_after,
        refresh_every: policy.refresh_every,
        applied_at,
        held: held.flatten(),
    }
}

fn step(step: PlannedStep) -> PolicyStepRow {
    PolicyStepRow {
        relation: step.relation,
        action: step.action,
        until: step.until,
        rows: step.rows,
        bytes: step.bytes,
        note: step.note,
    }
}
