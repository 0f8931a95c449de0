//! `alert_rule` and its versions: what raises an alert.
//!
//! Before: `http::alert_rule`, `vitals alerts`. After: the table, whose trigger refuses what is impossible and numbers the
//! versions; the next batch is judged by what stands there then.
//! Promise: a change is refused in words, or in force everywhere once it is answered.

use deadpool_postgres::Transaction;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::alert::of_json;
use super::{Statement, StatementTimeout, Store, StoreError, alert_sweep, statement};
use crate::language::{DatabaseRefusal, Text, text};
use crate::model::alert_rule::RuleScope;
use crate::model::{AlertKind, AlertRule, Id64, RuleDraft};

const LIST: Statement = statement!("alert_rule", "list");
const IN_FORCE: Statement = statement!("alert_rule", "in_force");
const VERSIONS: Statement = statement!("alert_rule", "versions");
const ADD: Statement = statement!("alert_rule", "add");
const REPLACE: Statement = statement!("alert_rule", "replace");
const SET_ENABLED: Statement = statement!("alert_rule", "set_enabled");
const REMOVE: Statement = statement!("alert_rule", "remove");
const TRY_OUT: Statement = statement!("alert_rule", "try_out");
const TENANT: Statement = statement!("alert_rule", "tenant");
const ACT_AS: Statement = statement!("alert_rule", "act_as");

/// The key by which a rule names the one that it replaces.
const REPLACED: &str = "alert_rule_replaces_rule_id_fkey";

/// Which rules; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// By number.
    pub ids: Option<Vec<i64>>,
    /// By tenant; 0: those for everybody.
    pub customer_id: Option<i64>,
    /// By organisation unit.
    pub org_id: Option<i64>,
    /// By wearer.
    pub user_id: Option<i64>,
    /// By device.
    pub device_sn: Option<String>,
    /// By kind.
    pub kinds: Option<Vec<AlertKind>>,
    /// Those that are switched on, or off.
    pub enabled: Option<bool>,
    /// Those that concern a tenant: rules for everybody, and rules within it.
    pub concerns: Option<i64>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeOutcome {
    /// The rule as it is now.
    Done(Box<AlertRule>),
    /// There is no such rule.
    NotFound,
    /// The rule is invalid; the reason.
    Invalid(Text),
    /// It conflicts with another change or rule; which.
    Conflict(Text),
}

/// The rules that match, in the order of their numbers.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<AlertRule>, StoreError> {
    let client = store.client().await?;
    let kinds: Option<Vec<&str>> =
        filter.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| kind.name()).collect());
    let scope: [&(dyn ToSql + Sync); 4] =
        [&filter.customer_id, &filter.org_id, &filter.user_id, &filter.device_sn];
    let [customer_id, org_id, user_id, device_sn] = scope;
    let parameters = [
        &filter.ids as _,
        customer_id,
        &kinds,
        &filter.enabled,
        org_id,
        user_id,
        device_sn,
        &filter.concerns,
    ];
    let rows = LIST.query(&client, &parameters).await?;
    rows.iter().map(rule).collect()
}

/// A wearer with a device, and where they belong; `None`: not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvaluatedOwner {
    /// Tenant.
    pub customer_id: Option<i64>,
    /// Organisation unit.
    pub org_id: Option<i64>,
    /// Wearer.
    pub user_id: Option<i64>,
    /// Device.
    pub device_sn: Option<String>,
}

/// The rules that hold for a wearer with a device, those that are switched off too.
///
/// # Errors
/// The database cannot be asked.
pub async fn in_force(store: &Store, owner: &EvaluatedOwner) -> Result<Vec<AlertRule>, StoreError> {
    let client = store.client().await?;
    let EvaluatedOwner { customer_id, org_id, user_id, device_sn } = owner;
    IN_FORCE.query(&client, &[customer_id, org_id, user_id, device_sn]).await?.iter().map(rule).collect()
}

/// The rule of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(store: &Store, rule_id: i64) -> Result<Option<AlertRule>, StoreError> {
    let filter = Filter { ids: Some(vec![rule_id]), ..Filter::default() };
    Ok(list(store, &filter).await?.pop())
}

/// The tenant within which a rule with this scope holds; `None`: it is for everybody, or the directory does not know for whom.
///
/// # Errors
/// The database cannot be asked.
pub async fn tenant(store: &Store, scope: RuleScope<'_>) -> Result<Option<i64>, StoreError> {
    let client = store.client().await?;
    let RuleScope { customer_id, org_id, user_id, device_sn } = scope;
    let [customer_id, org_id, user_id] = [customer_id, org_id, user_id].map(|id| id.map(|Id64(id)| id));
    let rows = TENANT.query(&client, &[&customer_id, &org_id, &user_id, &device_sn]).await?;
    Ok(rows.first().and_then(|row| row.get("customer_id")))
}

/// Every version of a rule, newest first; the rule may be deleted. Empty: there never was one of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn versions(store: &Store, rule_id: i64) -> Result<Vec<AlertRule>, StoreError> {
    let client = store.client().await?;
    VERSIONS.query(&client, &[&rule_id]).await?.iter().map(rule).collect()
}

/// Keeps a new rule. `actor`: who makes it; `None`: the role of the session.
///
/// # Errors
/// The database cannot be asked.
pub async fn add(store: &Store, draft: &RuleDraft, actor: Option<&str>) -> Result<ChangeOutcome, StoreError> {
    change(store, actor, &ADD, &[&draft.columns()]).await.map(|made| made.unwrap_or(ChangeOutcome::NotFound))
}

/// Makes a rule what `draft` says, if it has the version that is expected (`None`: any).
///
/// # Errors
/// The database cannot be asked.
pub async fn replace(
    store: &Store,
    rule_id: i64,
    draft: &RuleDraft,
    expected: Option<i32>,
    actor: Option<&str>,
) -> Result<ChangeOutcome, StoreError> {
    if let Some(made) = change(store, actor, &REPLACE, &[&rule_id, &draft.columns(), &expected]).await? {
        return Ok(made);
    }
    Ok(match read(store, rule_id).await? {
        None => ChangeOutcome::NotFound,
        Some(rule) => {
            let (version, at) = (rule.version.to_string(), format!("{:.0}", rule.changed_at));
            ChangeOutcome::Conflict(text!(
                "rule-changed-meanwhile",
                id = rule_id.to_string(),
                by = rule.changed_by,
                at = at,
                version = version
            ))
        }
    })
}

/// Switches a rule on or off. Switching off resolves its open alerts.
///
/// # Errors
/// The database cannot be asked.
pub async fn set_enabled(
    store: &Store,
    rule_id: i64,
    enabled: bool,
    actor: Option<&str>,
) -> Result<ChangeOutcome, StoreError> {
    let made = change(store, actor, &SET_ENABLED, &[&rule_id, &enabled]).await?;
    Ok(made.unwrap_or(ChangeOutcome::NotFound))
}

/// Deletes a rule that never raised an alert and that no other rule replaces.
///
/// # Errors
/// The database cannot be asked.
pub async fn remove(store: &Store, rule_id: i64) -> Result<Removal, StoreError> {
    let client = store.client().await?;
    match REMOVE.execute(&client, &[&rule_id]).await {
        Ok(0) => Ok(Removal::NotFound),
        Ok(_) => Ok(Removal::Done),
        Err(error) if error.violates(REPLACED) => Ok(Removal::IsReplaced),
        Err(error) if error.is(&SqlState::FOREIGN_KEY_VIOLATION) => Ok(Removal::HasAlerts),
        Err(error) => Err(error),
    }
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Done,
    /// There is no such rule.
    NotFound,
    /// It has alerts, which keep it.
    HasAlerts,
    /// Other rules replace it for a tenant, a unit, a person or a device.
    IsReplaced,
}

/// A rule with all its columns as it would be kept, and why it is refused, if it is. Keeps nothing.
///
/// # Errors
/// The database cannot be asked, or a column does not hold what it should.
pub async fn try_out(store: &Store, columns: &Value) -> Result<(Value, Option<Text>), StoreError> {
    let client = store.client().await?;
    let rows = TRY_OUT.query(&client, &[columns]).await?;
    let row = rows.first().ok_or_else(|| StoreError::State("a record gave no row".to_owned()))?;
    let refusal = of_json::<Option<DatabaseRefusal>>(row, "refusal")?;
    Ok((of_json(row, "rule")?, refusal.map(|refusal| Text::Refusal(Box::new(refusal)))))
}

/// `None`: there was nothing to change.
async fn change(
    store: &Store,
    actor: Option<&str>,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Option<ChangeOutcome>, StoreError> {
    let mut client = store.client().await?;
    let transaction = StatementTimeout::Default.begin(&mut client, "").await?;
    match changed(&transaction, actor, statement, parameters).await {
        Ok(rows) => {
            let failed = |source| StoreError::Postgres { statement: "commit", source };
            let made = rows.first().map(rule).transpose()?;
            transaction.commit().await.map_err(failed)?;
            if made.as_ref().is_some_and(|rule| !rule.enabled || rule.replaces_rule_id.is_some()) {
                alert_sweep::resolve_disabled(store).await?;
            }
            Ok(made.map(|rule| ChangeOutcome::Done(Box::new(rule))))
        }
        Err(error) if error.is(&SqlState::UNIQUE_VIOLATION) => {
            Ok(Some(ChangeOutcome::Conflict(text!("rule-replaced-already"))))
        }
        Err(error) => match error.refusal() {
            Some(reason) => Ok(Some(ChangeOutcome::Invalid(reason))),
            None => Err(error),
        },
    }
}

async fn changed(
    transaction: &Transaction<'_>,
    actor: Option<&str>,
    statement: &Statement,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    if let Some(actor) = actor {
        ACT_AS.query(transaction, &[&actor]).await?;
    }
    statement.query(transaction, parameters).await
}

fn rule(row: &Row) -> Result<AlertRule, StoreError> {
    of_json(row, "rule")
}
