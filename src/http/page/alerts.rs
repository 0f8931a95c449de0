//! `/alerts`, `/alerts/{id}`, `/fragments/alert-list`: alerts on a page.
//!
//! Before: a browser. After: what answers `/api/alerts` reads them, so a page shows what the API shows.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

use super::super::State;
use super::super::access_log::ShownSubject;
use super::super::api::{PathId, alert};
use super::super::error::{ApiError, ListErrors, OneErrors};
use super::form::PageQuery;
use super::{Flash, PageReader};
use crate::language::text;
use crate::model::access_entry::AccessSubject;
use crate::model::{AlertStatus, ContactSummary, Id64};
use crate::page;
use crate::page::alerts::{self, AlertChoice, AlertListing};
use crate::store::{contact, dashboard};

/// Contacts and units that can be chosen.
const MOST_CHOICES: i64 = 500;

/// Alerts that match, newest first; without a status those that are open
#[utoipa::path(get, path = "/alerts", tag = "pages", params(alert::AlertFilter, alert::AlertPaging),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page, with forms for who may act", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_alerts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    query: PageQuery,
    flash: Flash,
) -> Response {
    match listing(&state, &reader, query).await {
        Ok(mut listing) => {
            listing.flash = reader.shown_once(flash);
            reader.page(&alerts::title(), &alerts::body(&reader.frame, &listing))
        }
        Err(error) => error.into_response(),
    }
}

/// The list of `/alerts` alone, to replace the one that is shown
#[utoipa::path(get, path = "/fragments/alert-list", tag = "pages", params(alert::AlertFilter, alert::AlertPaging),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "The list", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_fragments_alert_list(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    query: PageQuery,
) -> Response {
    // Its links lead to the page.
    reader.frame.path = reader.frame.path.replacen("/fragments/alert-list", "/alerts", 1);
    match listing(&state, &reader, query).await {
        Ok(listing) => reader.fragment(alerts::list(&reader.frame, &listing).into_string()),
        Err(error) => error.into_response(),
    }
}

/// An alert: what happened to it, who was notified when by which channel
#[utoipa::path(get, path = "/alerts/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the alert")),
    security(("bearer" = ["read", "own_tenant", "own_unit"]), ("basic" = ["read", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page, with forms for who may act", content_type = "text/html", body = String), OneErrors))]
pub(in crate::http) async fn get_alerts_id(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    PathId(alert_id): PathId,
    flash: Flash,
) -> Response {
    let read = async {
        let detail = alert::read(&state, &reader.caller, alert_id, reader.frame.language).await?;
        Ok((detail, contacts(&state, &reader).await?))
    };
    match read.await {
        Ok((detail, contacts)) => {
            let notice = reader.shown_once(flash);
            let body = page::alert::body(&reader.frame, &detail, &contacts, notice.as_deref());
            let mut response = reader.page(&page::alert::title(Id64(alert_id)), &body);
            response.extensions_mut().insert(ShownSubject(AccessSubject::Device(detail.alert.device_sn)));
            response
        }
        Err(error) => ApiError::into_response(error),
    }
}

async fn listing(state: &State, reader: &PageReader, query: PageQuery) -> Result<AlertListing, ApiError> {
    let choice = choice(&query);
    let mut parameters = in_zone(reader, query)?.parameters();
    let mut filter = alert::filter(&mut parameters, &reader.caller)?;
    filter.statuses.get_or_insert_with(|| vec![AlertStatus::Firing, AlertStatus::Acknowledged]);
    let page = alert::page(state, parameters, &filter, reader.frame.language).await?;
    Ok(AlertListing {
        choice,
        alerts: page.alerts,
        cursor: page.cursor,
        units: units(state, reader).await?,
        contacts: contacts(state, reader).await?,
        flash: None,
    })
}

fn choice(query: &PageQuery) -> AlertChoice {
    AlertChoice {
        statuses: query.values("status"),
        lowest: query.value("min_severity"),
        org_id: query.value("org_id"),
        kind: query.value("kind"),
        is_mine: query.value("mine").unwrap_or(false),
        from: query.value("from"),
        to: query.value("to"),
    }
}

/// Days in place of times: from the beginning of the first to the end of the last, in the zone of the reader.
fn in_zone(reader: &PageReader, query: PageQuery) -> Result<PageQuery, ApiError> {
    let start = |date: Option<Date>| {
        let start = date.and_then(|date| date.to_zoned(reader.frame.zone.clone()).ok());
        start
            .map(|zoned| zoned.timestamp().to_string())
            .ok_or_else(|| ApiError::Bad(text!("parameter-no-time")))
    };
    let in_zone = |(name, value): (String, String)| {
        let date: Option<Date> = value.parse().ok().filter(|_| value.len() == "2026-01-31".len());
        let value = match (name.as_str(), date) {
            ("from", Some(date)) => start(Some(date))?,
            ("to", Some(date)) => start(date.tomorrow().ok())?,
            _ => value,
        };
        Ok((name, value))
    };
    query.0.into_iter().map(in_zone).collect::<Result<_, _>>().map(PageQuery)
}

/// Units that a list can be limited to.
pub(super) async fn units(state: &State, reader: &PageReader) -> Result<Vec<(Id64, String)>, ApiError> {
    let viewer = reader.caller.viewer();
    state.list(async |store| dashboard::unit::list(&store, viewer, MOST_CHOICES).await).await
}

/// Contacts to whom an alert can be assigned, for who may act.
async fn contacts(state: &State, reader: &PageReader) -> Result<Vec<ContactSummary>, ApiError> {
    if !reader.frame.can_respond() {
        return Ok(Vec::new());
    }
    let reach = reader.caller.reach();
    state.list(async |store| contact::list(&store, reach, 0, MOST_CHOICES).await).await
}
