//! What a person does about alerts on a page: `POST /alerts/{id}/acknowledge`, `/note`, `/assign`, `/silence`, `/resolve`, and
//! `POST /alerts/actions` for several.
//!
//! Before: the forms of `/alerts`, `/alerts/{id}` and `/wall`. After: the functions that answer the routes below `/api/alerts`.
//! Promise: the browser is led back to where it was, and is shown what became of each action; of two people who act at once the second is
//! shown who was faster.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::State;
use super::super::access::Identity;
use super::super::api::{PathId, alert, alert_assignment, alert_silence, alert_step};
use super::super::error::{ApiError, BodyErrors};
use super::PageReader;
use super::form::FormFields;
use crate::language::{Text, text};
use crate::model::{Id64, SilenceDraft};
use crate::page::link;

/// Alerts of one form.
const MOST_ALERTS: usize = 200;

/// How long an alert is silenced, unless the form says it.
const SILENT_SECONDS: i32 = 3_600;

/// A step; its name is a part of addresses and a value of forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageStep {
    Acknowledge,
    Note,
    Assign,
    Silence,
    Resolve,
}

impl FromStr for PageStep {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let all = [Self::Acknowledge, Self::Note, Self::Assign, Self::Silence, Self::Resolve];
        all.into_iter()
            .find(|step| step.name() == name)
            .ok_or("acknowledge, note, assign, silence or resolve")
    }
}

impl PageStep {
    const fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Note => "note",
            Self::Assign => "assign",
            Self::Silence => "silence",
            Self::Resolve => "resolve",
        }
    }

    /// As the history of an alert calls what was done.
    const fn action(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledged",
            Self::Note => "noted",
            Self::Assign => "assigned",
            Self::Silence => "silenced",
            Self::Resolve => "resolved",
        }
    }
}

/// Describes and handles the route of one step.
macro_rules! step_route {
    ($(#[doc = $about:literal] $handler:ident at $path:literal takes $step:ident;)+) => {
        $(
            #[doc = $about]
            #[utoipa::path(post, path = $path, tag = "pages",
                params(("id" = Id64, Path, description = "Number of the alert")),
                security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
                responses((status = 303, description = "Back to the page of the form, which shows what became of it"), BodyErrors))]
            pub(in crate::http) async fn $handler(
                Shared(state): Shared<Arc<State>>,
                reader: PageReader,
                PathId(alert_id): PathId,
                request: Request,
            ) -> Response {
                one(&state, &reader, alert_id, PageStep::$step, request).await
            }
        )+
    };
}

step_route! {
    /// A person takes an alert on, by the form of a page
    post_alerts_id_acknowledge at "/alerts/{id}/acknowledge" takes Acknowledge;
    /// A person says something about an alert, by the form of a page
    post_alerts_id_note at "/alerts/{id}/note" takes Note;
    /// An alert is given to a contact, by the form of a page
    post_alerts_id_assign at "/alerts/{id}/assign" takes Assign;
    /// For a while nobody is notified of alerts of the same rule and device, by the form of a page
    post_alerts_id_silence at "/alerts/{id}/silence" takes Silence;
    /// A person ends an alert, by the form of a page
    post_alerts_id_resolve at "/alerts/{id}/resolve" takes Resolve;
}

/// A person does the same about several alerts, by the form of a page
#[utoipa::path(post, path = "/alerts/actions", tag = "pages",
    security(("bearer" = ["respond", "own_tenant", "own_unit"]), ("basic" = ["respond", "own_tenant", "own_unit"])),
    responses((status = 303, description = "Back to the page of the form, which shows what became of each"), BodyErrors))]
pub(in crate::http) async fn post_alerts_actions(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let acted = async {
        let fields = FormFields::read(&state, request).await?;
        let back = fields.back("/alerts".to_owned());
        let step = fields.value("action")?.unwrap_or(PageStep::Acknowledge);
        Ok((several(&state, &reader, step, &fields).await?, back))
    };
    match acted.await {
        Ok((outcome, back)) => state.pages.go_back(&back, &outcome),
        Err(error) => ApiError::into_response(error),
    }
}

async fn one(
    state: &State,
    reader: &PageReader,
    alert_id: i64,
    step: PageStep,
    request: Request,
) -> Response {
    let acted = async {
        let fields = FormFields::read(state, request).await?;
        let back = fields.back(link::alert(Id64(alert_id)));
        let outcome = match take(state, reader, alert_id, step, &fields).await {
            Ok(()) => text!("alert-done", id = alert_id.to_string(), action = step.action()),
            Err(ApiError::InTheWay(reason) | ApiError::Bad(reason)) => reason,
            Err(error) => return Err(error),
        };
        Ok((reader.frame.text(&outcome), back))
    };
    match acted.await {
        Ok((outcome, back)) => state.pages.go_back(&back, &outcome),
        Err(error) => error.into_response(),
    }
}

/// How many it was done with, and why not with the others.
async fn several(
    state: &State,
    reader: &PageReader,
    step: PageStep,
    fields: &FormFields,
) -> Result<String, ApiError> {
    let mut alerts: Vec<Id64> = fields.values("alert");
    alerts.truncate(MOST_ALERTS);
    if alerts.is_empty() {
        return Ok(reader.frame.text(&text!("page-none-chosen")));
    }
    let mut done = 0_usize;
    let mut reasons: Vec<Text> = Vec::new();
    for Id64(alert_id) in alerts {
        match take(state, reader, alert_id, step, fields).await {
            Ok(()) => done += 1,
            Err(ApiError::InTheWay(reason) | ApiError::Bad(reason) | ApiError::Absent(reason)) => {
                reasons.push(reason);
            }
            Err(error) => return Err(error),
        }
    }
    let summary = text!("page-steps-done", count = done, action = step.action());
    let all = std::iter::once(&summary).filter(|_| done > 0).chain(&reasons);
    Ok(all.map(|text| reader.frame.text(text)).collect::<Vec<_>>().join(" · "))
}

async fn take(
    state: &State,
    reader: &PageReader,
    alert_id: i64,
    step: PageStep,
    fields: &FormFields,
) -> Result<(), ApiError> {
    let (caller, actor, note) = (&reader.caller, actor(reader), fields.text("note"));
    match step {
        PageStep::Acknowledge => alert_step::acknowledge(state, caller, alert_id, actor, note).await,
        PageStep::Note => alert_step::note(state, caller, alert_id, actor, note.unwrap_or_default()).await,
        PageStep::Resolve => alert_step::resolve(state, caller, alert_id, actor, note).await,
        PageStep::Assign => {
            let contact_id = fields.value("contact_id")?;
            alert_assignment::assign(state, caller, alert_id, contact_id, actor, note).await
        }
        PageStep::Silence => {
            let alert = alert::read(state, caller, alert_id, reader.frame.language).await?.alert;
            let draft = SilenceDraft {
                customer_id: None,
                org_id: None,
                device_sn: Some(alert.device_sn),
                rule_id: Some(alert.rule_id),
                starts_at: None,
                ends_at: None,
                for_seconds: Some(fields.value("for_seconds")?.unwrap_or(SILENT_SECONDS)),
                actor,
                note: note.map(str::to_owned),
            };
            alert_silence::add(state, caller, draft).await.map(drop)
        }
    }
}

/// Without authentication nobody has a name but the machine; with it the caller acts as who it is.
pub(super) fn actor(reader: &PageReader) -> Option<String> {
    let is_open = matches!(reader.caller.identity, Identity::AuthenticationOff);
    reader.frame.viewer.as_ref().filter(|_| is_open).map(|viewer| viewer.name.clone())
}
