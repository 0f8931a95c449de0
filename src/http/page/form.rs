//! What a page sends: the parameters of an address, the fields of a form, and where to go back to.
//!
//! Before: a browser. After: the handlers of pages.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Number, Value};

use super::super::State;
use super::super::api::query::Parameters;
use super::super::error::ApiError;
use super::super::session::page_within;
use crate::language::{Text, text};
use crate::page::field::{FieldValues, unit_field};

/// The parameters of an address, without empty ones and without those that choose the look.
#[derive(Debug, Clone)]
pub(in crate::http) struct PageQuery(pub(in crate::http) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) =
            pairs.map_err(|error| ApiError::Bad(Text::Verbatim(error.body_text())).into_response())?;
        let is_kept = |(name, value): &(String, String)| {
            !["lang", "theme"].contains(&name.as_str()) && !value.trim().is_empty()
        };
        Ok(Self(pairs.into_iter().filter(is_kept).collect()))
    }
}

impl PageQuery {
    /// As the routes below `/api/` read them.
    pub(super) fn parameters(self) -> Parameters {
        Parameters::of_form(self.0)
    }

    /// The last value of a parameter that can be read.
    pub(super) fn value<T: FromStr>(&self, name: &str) -> Option<T> {
        let values = self.0.iter().rev().filter(|(each, _)| each == name);
        values.filter_map(|(_, value)| value.trim().parse().ok()).next()
    }

    /// Every value of a parameter that can be read.
    pub(super) fn values<T: FromStr>(&self, name: &str) -> Vec<T> {
        let values = self.0.iter().filter(|(each, _)| each == name);
        values.filter_map(|(_, value)| value.parse().ok()).collect()
    }
}

/// The fields of a form. As an argument of a handler: a form that cannot be read is answered by a refusal.
#[derive(Debug)]
pub(in crate::http) struct FormFields(Vec<(String, String)>);

impl FromRequest<Arc<State>> for FormFields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Arc<State>) -> Result<Self, ApiError> {
        Self::read(state, request).await
    }
}

impl FormFields {
    /// Of a form that was sent, for handlers that say on the next page why it cannot be read.
    pub(super) async fn read(state: &State, request: Request) -> Result<Self, ApiError> {
        state.form(request).await.map(Self)
    }

    /// A field; `None`: it is not there, or was left empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let values = self.0.iter().filter(|(each, _)| each == name).map(|(_, value)| value.trim());
        values.rev().find(|value| !value.is_empty())
    }

    /// A field that has to be of a type; `None`: it was left empty.
    pub(super) fn value<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<Option<T>, ApiError> {
        let refused = |error: T::Err| {
            ApiError::Bad(text!("parameter-refused", name = name, reason = error.to_string()))
        };
        self.text(name).map(|text| text.parse().map_err(refused)).transpose()
    }

    /// Every value of a field that can be read.
    pub(super) fn values<T: FromStr>(&self, name: &str) -> Vec<T> {
        let values = self.0.iter().filter(|(each, _)| each == name);
        values.filter_map(|(_, value)| value.parse().ok()).collect()
    }

    /// A number with the digits that were typed; `None`: the field was left empty.
    pub(super) fn number(&self, name: &str) -> Result<Option<Value>, ApiError> {
        let Some(typed) = self.text(name) else { return Ok(None) };
        let number: Result<Number, _> = serde_json::from_str(typed);
        let refused = |error: serde_json::Error| {
            ApiError::Bad(text!("parameter-refused", name = name, reason = error.to_string()))
        };
        number.map(|number| Some(Value::Number(number))).map_err(refused)
    }

    /// A duration in seconds, of a number and its unit; `None`: it was left empty.
    pub(super) fn seconds(&self, name: &'static str) -> Result<Option<i64>, ApiError> {
        let unit = self.text(&unit_field(name)).and_then(|unit| unit.parse().ok()).unwrap_or(1);
        Ok(self.value::<i64>(name)?.map(|count| count.saturating_mul(unit)))
    }

    /// Whether a box was ticked.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    /// What was typed, to show it once more.
    pub(super) fn typed(&self) -> FieldValues {
        self.0.clone().into()
    }

    /// The page of this service that the form was on, else `default`.
    pub(super) fn back(&self, default: String) -> String {
        self.text("back").and_then(page_within).map_or(default, str::to_owned)
    }
}

/// Sets a column, or takes it away.
pub(super) fn put(columns: &mut Map<String, Value>, column: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(columns.insert(column.to_owned(), value)),
        None => drop(columns.remove(column)),
    }
}
