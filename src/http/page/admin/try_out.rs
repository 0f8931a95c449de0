//! A try-out: what a rule would have raised over the last days.
//!
//! Before: `rules` has what was typed. After: `vitals.replay_rule`, as `vitals alerts replay-rule` runs it, over a part of the devices.
//! Promise: it changes nothing, and ends. For an administrator of one tenant it counts devices and alerts of the tenant alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::super::super::State;
use super::super::super::access::Caller;
use super::super::super::api::own;
use super::super::super::error::ApiError;
use crate::language::text;
use crate::model::{AlertRule, Id64, RuleDraft};
use crate::page::admin::rules::{TRY_OUT_DAYS, TryOutResult};
use crate::store::alert_replay::{self, ReplayDevices};
use crate::store::alert_rule;

/// Devices of a try-out: as many as are evaluated well within the time that a page may take.
const MOST_DEVICES: usize = 300;

/// Tries a rule out over so many days. `stored`: the rule that it would change.
pub(super) async fn try_out(
    state: &State,
    caller: &Caller,
    mut draft: RuleDraft,
    stored: Option<&AlertRule>,
    days: Option<i64>,
) -> Result<TryOutResult, ApiError> {
    own::check_rule(state, caller, &mut draft).await?;
    let own = caller.customer_id();
    let days = days.filter(|days| TRY_OUT_DAYS.contains(days)).unwrap_or(1);
    let (mut rule, refusal) = state.query(alert_rule::try_out(&state.store, &draft.columns())).await?;
    if let Some(reason) = refusal {
        return Err(ApiError::Bad(text!("rule-impossible", reason = reason)));
    }
    let stored_id = stored.map(|rule| rule.rule_id.0);
    rule["rule_id"] = json!(stored_id);
    // What is switched off is tried out all the same.
    rule["enabled"] = true.into();
    let scope = draft.scope();
    let serials = scope.device_sn.map(|serial| vec![serial.to_owned()]);
    let number = |id: Option<Id64>| id.map(|Id64(id)| id);
    let devices = ReplayDevices {
        serials: serials.as_deref(),
        customer_id: own.or(number(scope.customer_id)),
        org_id: number(scope.org_id),
        user_id: number(scope.user_id),
    };
    let to = state.time.now();
    let from: Timestamp = to.checked_sub((24 * days).hours()).unwrap_or(to);
    let limit = i64::try_from(MOST_DEVICES + 1).unwrap_or(i64::MAX);
    state
        .list(async |store| {
            let mut devices = alert_replay::devices(&store, devices, "", limit).await?;
            let has_more = devices.len() > MOST_DEVICES;
            devices.truncate(MOST_DEVICES);
            let episodes = alert_replay::replay(&store, &rule, &devices, from, to).await?;
            let raised = match stored_id {
                Some(id) => Some(alert_replay::stored(&store, id, &devices, from, to, own).await?.len()),
                None => None,
            };
            let affected: BTreeSet<&str> =
                episodes.iter().map(|episode| episode.device_sn.as_str()).collect();
            let mut alerts: BTreeMap<String, usize> = BTreeMap::new();
            for episode in &episodes {
                *alerts.entry(episode.peak_severity.clone()).or_default() += 1;
            }
            Ok(TryOutResult {
                days,
                devices: devices.len(),
                has_more,
                affected: affected.len(),
                alerts,
                stored: raised,
            })
        })
        .await
}
