//! Notes who looked at whose data, for every answer that shows data of people, and who changed something.
//!
//! Before: `access` has authenticated the caller, and the handler has answered. After: `accounts::access_log` writes the entry.
//! Promise: an answer never waits for it. Each route that a key opens is known to [`shown_by`], or listed in a test (which compares
//! both with the route table). An entry holds no health value, and of a query only the parameters in [`KEPT_PARAMETERS`]:
//! a device or a person that a list is filtered by is its subject.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt;
use axum::extract::{MatchedPath, Query, RawPathParams, Request, State as Shared};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use moka::sync::Cache;

use super::State;
use super::access::{Caller, Identity};
use super::api::is_upload;
use crate::accounts::AccessLog;
use crate::model::access_entry::{AccessEntry, AccessSubject, Accessor};

/// Most repeats that are recognised; beyond, the least recently used one is written again.
const MAX_RECENT: u64 = 100_000;

/// Longest filter, characters.
const MAX_FILTER_CHARS: usize = 1000;

/// Parameters of a query that say what was looked at and name nobody.
const KEPT_PARAMETERS: &[&str] = &[
    "assigned_to",
    "customer_id",
    "from",
    "grain",
    "historical",
    "id",
    "kind",
    "limit",
    "metric",
    "mine",
    "online",
    "org_id",
    "range",
    "rule_id",
    "severity",
    "sort",
    "status",
    "to",
    "type",
    "unit",
    "zone",
];

/// In the extensions of an answer: whose data it shows, where the route does not say so.
#[derive(Debug, Clone)]
pub(super) struct ShownSubject(pub(super) AccessSubject);

/// Recognises repeats.
#[derive(Debug)]
pub(super) struct AccessNotes {
    log: AccessLog,
    /// `None`: repeats are written too.
    recent: Option<Cache<u64, ()>>,
    hasher: RandomState,
}

impl AccessNotes {
    pub(super) fn new(log: AccessLog, repeat_seconds: u32) -> Self {
        let repeat = Duration::from_secs(repeat_seconds.into());
        let recent = (!repeat.is_zero())
            .then(|| Cache::builder().max_capacity(MAX_RECENT).time_to_live(repeat).build());
        Self { log, recent, hasher: RandomState::new() }
    }

    /// `is_change`: each is written, however often it is repeated.
    fn note(&self, entry: AccessEntry, is_change: bool) {
        if is_change {
            self.log.add(entry);
            return;
        }
        let same = (entry.accessor, entry.role, &entry.route, &entry.subject, &entry.filter, entry.address);
        let within = (entry.customer_id, entry.org_id);
        let key = self.hasher.hash_one((same, within));
        if self.recent.as_ref().is_some_and(|recent| recent.contains_key(&key)) {
            return;
        }
        if self.log.add(entry)
            && let Some(recent) = &self.recent
        {
            recent.insert(key, ());
        }
    }
}

/// Whose data a route shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Of the device in this parameter of the path.
    Device(&'static str),
    /// Of the person in this parameter of the path.
    Person(&'static str),
    /// Of several.
    List,
}

/// Routes that show several people, devices or alerts, and what is below them.
const LISTS: &[&str] = &[
    "/admin/rejected",
    "/alerts",
    "/api/alerts",
    "/api/device_clocks",
    "/api/devices",
    "/api/overview",
    "/api/people",
    "/api/series",
    "/api/stream",
    "/devices",
    "/fragments",
    "/people",
    "/wall",
];

/// Below [`LISTS`], but about nobody.
const OF_NOBODY: &[&str] = &["/api/alerts/rules", "/api/alerts/silences"];

/// Whose data a route shows; `None`: that of nobody.
fn shown_by(route: &str) -> Option<Shown> {
    let is_below = |prefix: &str| {
        route.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if OF_NOBODY.iter().any(|prefix| is_below(prefix)) || !LISTS.iter().any(|prefix| is_below(prefix)) {
        None
    } else if route.contains("/devices/{sn}") {
        Some(Shown::Device("sn"))
    } else if route.contains("/people/{id}") {
        Some(Shown::Person("id"))
    } else {
        Some(Shown::List)
    }
}

/// What is to be noted of a request, if it succeeds: of whom it is, and whether it changes something below `/api/` or on a page. `None`:
/// nothing. Uploads of devices are not changes of a person.
fn noted(request: &Request, caller: &Caller) -> Option<(Shown, bool, String)> {
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    let shown = shown_by(route);
    if request.method().is_safe() {
        let shown = shown.filter(|_| request.method() == Method::GET);
        return shown.map(|shown| (shown, false, route.to_owned()));
    }
    let is_known = matches!(caller.identity, Identity::Session(_) | Identity::ApiKey(_));
    let may_change = route.starts_with("/api/") || is_known && !is_upload(route);
    may_change.then(|| (shown.unwrap_or(Shown::List), true, format!("{} {route}", request.method())))
}

/// Adds an entry for an answer that shows data of people, or says that something is changed.
pub(super) async fn note(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().cloned();
    let Some((caller, (shown, is_change, route))) = caller.and_then(|caller| {
        let noted = noted(&request, &caller)?;
        Some((caller, noted))
    }) else {
        return next.run(request).await;
    };
    let in_path = parameters_of_path(&mut request).await;
    let (of_query, mut filter) = of_query(&request);
    let subject = subject_of_path(shown, &in_path);
    if is_change {
        // A filter names nobody: who is erased would stay in it.
        let of_nobody = in_path.iter().filter(|_| subject.is_none());
        let pairs: Vec<String> = of_nobody.map(|(name, value)| format!("{name}={value}")).collect();
        filter = Some(without_control(&pairs.join("&"))).filter(|pairs| !pairs.is_empty());
    }
    let mut response = next.run(request).await;
    let of_answer = response.extensions_mut().remove::<ShownSubject>().map(|ShownSubject(subject)| subject);
    let status = response.status();
    if status.is_success() || status == StatusCode::NOT_MODIFIED || is_change && status.is_redirection() {
        let subject = of_answer.or(subject).or(of_query).unwrap_or(AccessSubject::List);
        if let Some(entry) = entry(&state, &caller, route, subject, filter) {
            state.access_notes.note(entry, is_change);
        }
    }
    response
}

async fn parameters_of_path(request: &mut Request) -> Vec<(String, String)> {
    let Ok(parameters) = request.extract_parts::<RawPathParams>().await else { return Vec::new() };
    parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn subject_of_path(shown: Shown, in_path: &[(String, String)]) -> Option<AccessSubject> {
    let of = |name: &str| in_path.iter().find(|(found, _)| found == name).map(|(_, value)| value);
    match shown {
        Shown::Device(name) => of(name).map(|device_sn| AccessSubject::Device(without_control(device_sn))),
        Shown::Person(name) => of(name)?.parse().ok().map(AccessSubject::Person),
        Shown::List => None,
    }
}

/// The device or the person by which a list is filtered, and the rest of the query.
fn of_query(request: &Request) -> (Option<AccessSubject>, Option<String>) {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()) else {
        return (None, None);
    };
    let named = |names: &[&str]| {
        pairs.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value)
    };
    let device =
        named(&["device_sn", "sn"]).map(|device_sn| AccessSubject::Device(without_control(device_sn)));
    let person = named(&["user_id", "person"]).and_then(|id| id.parse().ok()).map(AccessSubject::Person);
    let kept = pairs.iter().filter(|(name, _)| KEPT_PARAMETERS.contains(&name.as_str()));
    let kept: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
    let filter = without_control(&kept.join("&"));
    (device.or(person), (!filter.is_empty()).then_some(filter))
}

/// `None`: the caller sees no data of people.
fn entry(
    state: &State,
    caller: &Caller,
    route: String,
    subject: AccessSubject,
    filter: Option<String>,
) -> Option<AccessEntry> {
    let accessor = match &caller.identity {
        Identity::AuthenticationOff => Accessor::Local,
        Identity::ApiKey(key) => Accessor::Key(key.key_id),
        Identity::Session(session) => Accessor::Account(session.account_id),
        Identity::Kiosk(link) => Accessor::Kiosk(link.kiosk_link_id.0),
        Identity::Anonymous | Identity::DeviceKey(_) => return None,
    };
    let viewer = caller.page_viewer()?;
    Some(AccessEntry {
        accessed_at: state.time.now(),
        accessor,
        name: viewer.name,
        role: viewer.role,
        customer_id: caller.customer_id(),
        org_id: caller.reach().org_id,
        route,
        subject,
        filter,
        address: caller.address(),
    })
}

/// As much of a text as is kept; a text of PostgreSQL has no NUL.
fn without_control(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(MAX_FILTER_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Routes that a key opens and that show no data of people.
    const NOT_OF_PEOPLE: &[&str] = &[
        "/admin",
        "/admin/accounts",
        "/admin/contacts",
        "/admin/keys",
        "/admin/policies",
        "/admin/rules",
        "/admin/rules/{id}",
        "/admin/shifts",
        "/admin/silences",
        "/api/alerts/rules",
        "/api/alerts/rules/{id}",
        "/api/alerts/rules/{id}/versions",
        "/api/alerts/silences",
        "/api/batch_processor/health",
        "/api/batch_processor/metrics",
        "/api/connections",
        "/api/contact_addresses",
        "/api/contacts",
        "/api/health",
        "/api/notification_routes",
        "/api/notification_routes/{id}",
        "/api/shifts",
        "/api/stats",
        "/api/system_alerts",
        "/metrics",
    ];

    #[test]
    fn every_route_that_a_key_opens_is_one_of_people_or_is_named() {
        let document =
            serde_json::to_value(super::super::routes().get_openapi()).expect("a document is JSON");
        for (path, item) in document["paths"].as_object().expect("paths") {
            let security = item["get"]["security"].to_string();
            let needs_key = security.contains("read") || security.contains("admin");
            let is_of_people = shown_by(path).is_some();
            let is_named = NOT_OF_PEOPLE.contains(&path.as_str());
            assert!(!needs_key || is_of_people != is_named, "{path}: in `shown_by` or in NOT_OF_PEOPLE");
        }
    }

    fn query(uri: &'static str) -> (Option<AccessSubject>, Option<String>) {
        of_query(&Request::get(uri).body(axum::body::Body::empty()).expect("a request"))
    }

    #[test]
    fn of_a_query_only_what_names_nobody_is_kept() {
        assert_eq!(query("/api/alerts"), (None, None));
        let (subject, filter) = query("/api/alerts?status=firing&device_sn=D%2F1&name=Li&severity=major");
        assert_eq!(subject, Some(AccessSubject::Device("D/1".to_owned())));
        assert_eq!(filter.as_deref(), Some("status=firing&severity=major"));
        let (subject, filter) = query("/api/alerts?user_id=7&q=Li");
        assert_eq!((subject, filter), (Some(AccessSubject::Person(7)), None));
        assert_eq!(query("/api/alerts?from=a%00b").1.as_deref(), Some("from=ab"));
    }

    #[test]
    fn a_route_of_a_device_or_a_person_names_its_parameter() {
        assert_eq!(shown_by("/api/devices/{sn}/series"), Some(Shown::Device("sn")));
        assert_eq!(shown_by("/people/{id}"), Some(Shown::Person("id")));
        assert_eq!(shown_by("/api/people"), Some(Shown::List));
        assert_eq!(shown_by("/api/device_clocks"), Some(Shown::List));
        assert_eq!(shown_by("/api/alerts/rules"), None);
        assert_eq!(shown_by("/upload_health_data"), None);
    }
}
