//! A rule: what raises an alert.
//!
//! Before: the draft of a rule comes from `http::alert_rule`, a file or the command line. After: `store::alert_rule` stores the rule, and
//! the database evaluates it.
//! Promise: a [`RuleDraft`] has the right columns with the right types. Only the database decides whether the rule is possible
//! (`vitals.alert_rule_refusal`), so that everybody gets the same answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use super::{AlertKind, Id64, Severity, VitalSign};

/// A condition of a composite rule: the newest reading of the metric, not older than the window of the rule, breaches
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Vital sign
    pub metric: VitalSign,
    /// A reading below it breaches; the bound itself does not
    #[schema(value_type = Option<f64>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// A reading above it breaches; the bound itself does not
    #[schema(value_type = Option<f64>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// And has done so for this long, seconds
    #[schema(minimum = 0, maximum = 86_400)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i32>,
}

/// A graver level of a rule: while readings lie outside its bounds, the alert has its severity
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Graver than the level before; the first one, than the rule
    pub severity: Severity,
    /// A reading below it breaches the level; at or below that of the level before. Null: none
    #[schema(value_type = Option<f64>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// A reading above it breaches the level; at or above that of the level before. Null: none
    #[schema(value_type = Option<f64>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// How the conditions of a composite rule go together
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// All of them.
    All,
    /// Any of them.
    Any,
}

impl Combine {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }
}

/// The columns of a rule, as people write them and as they read them: one list for both.
macro_rules! rule {
    (
        nullable { $($(#[$attribute:meta])* $column:ident: $held:ty,)+ }
        defaulted { $($(#[$about:meta])* $other:ident: $set:ty,)+ }
    ) => {
        /// A rule as it is kept
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        pub struct AlertRule {
            /// Number of the rule
            pub rule_id: Id64,
            /// Raised by every change
            pub version: i32,
            /// When it was last changed
            #[schema(value_type = String, format = DateTime)]
            pub changed_at: Timestamp,
            /// Who changed it
            pub changed_by: String,
            /// What people call it
            #[schema(min_length = 1, max_length = 200)]
            pub name: String,
            /// What it evaluates; it cannot change
            pub kind: AlertKind,
            /// How severe its alerts are; with levels: at the lowest level
            pub severity: Severity,
            $($(#[$attribute])* pub $column: Option<$held>,)+
            $($(#[$about])* pub $other: $set,)+
        }

        /// A rule as it should be. What is missing or null has its default: nothing, or the default in its description
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct RuleDraft {
            /// What people call it
            #[schema(min_length = 1, max_length = 200)]
            pub name: String,
            /// What it evaluates; it cannot change
            pub kind: AlertKind,
            /// How severe its alerts are; with levels: at the lowest level
            pub severity: Severity,
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $column: Option<$held>,
            )+
            $(
                $(#[$about])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $other: Option<$set>,
            )+
        }
    };
}

rule! {
    nullable {
        /// Tenant whose samples it evaluates. A rule has one scope at most; null in all four: it is for everybody
        customer_id: Id64,
        /// Organisation unit whose samples it evaluates, its sub-units included
        org_id: Id64,
        /// Wearer whose samples it evaluates
        user_id: Id64,
        /// Device whose samples it evaluates
        #[schema(min_length = 1, max_length = 64)]
        device_sn: String,
        /// Rule for everybody in whose place this one is applied to its tenant, unit, person or device. Of several, the narrowest:
        /// device, person, nearest unit, tenant. Null: it is applied in addition
        replaces_rule_id: Id64,
        /// threshold: the vital sign
        metric: VitalSign,
        /// threshold: a reading below it breaches; the bound itself does not
        #[schema(value_type = Option<f64>)]
        min_value: Number,
        /// threshold: a reading above it breaches; the bound itself does not
        #[schema(value_type = Option<f64>)]
        max_value: Number,
        /// threshold: a reading counts as recovered from here on; null: from min_value on
        #[schema(value_type = Option<f64>)]
        recovery_min_value: Number,
        /// threshold: a reading counts as recovered up to here; null: up to max_value
        #[schema(value_type = Option<f64>)]
        recovery_max_value: Number,
        /// threshold: graver levels, lowest first; null: the severity of an alert does not change
        #[schema(min_items = 1, max_items = 3)]
        levels: Vec<Level>,
        /// composite: how the conditions go together
        combine: Combine,
        /// composite: the conditions
        #[schema(min_items = 1, max_items = 10)]
        conditions: Vec<Condition>,
        /// event: the short type, upper case
        event_type: String,
        /// event: values that raise the alert; null: any
        #[schema(min_items = 1)]
        event_values: Vec<String>,
        /// event: values that resolve it; null: none
        #[schema(min_items = 1)]
        recovery_values: Vec<String>,
        /// silence: time without a sample, seconds
        #[schema(minimum = 60, maximum = 31_536_000)]
        silent_seconds: i32,
        /// Resolves by itself when nothing breached for so long, seconds; null: never
        #[schema(minimum = 1, maximum = 31_536_000)]
        expire_seconds: i32,
        /// Breaches count from this local time on, HH:MM or HH:MM:SS; null: the whole day
        #[schema(example = "22:00")]
        effective_from: String,
        /// Breaches count until this local time, exclusive; before effective_from: of the next day
        #[schema(example = "06:00")]
        effective_until: String,
        /// Days on which breaches count, 1 Monday to 7 Sunday; null: every day
        #[schema(min_items = 1, max_items = 7)]
        effective_days: Vec<i16>,
        /// Zone of the effective hours and of times in messages (IANA name); null: that of the rollups
        #[schema(example = "Asia/Shanghai")]
        time_zone: String,
    }
    defaulted {
        /// False: it evaluates nothing, and its open alerts were resolved when it was disabled. Default: true
        enabled: bool,
        /// Readings in a row that have to breach. Default: 1
        #[schema(minimum = 1, maximum = 100)]
        consecutive: i32,
        /// Time within which they have to lie, seconds. Default: 600
        #[schema(minimum = 1, maximum = 86_400)]
        window_seconds: i32,
        /// A breach this soon after the end of an alert reopens that alert, and nobody is notified. After a person resolved the
        /// alert, such a breach is not evaluated at all. Seconds. Default: 300
        #[schema(minimum = 0, maximum = 604_800)]
        cooldown_seconds: i32,
        /// Readings in a row, within a day, that have to be recovered for the alert to resolve by itself. Default: 3
        #[schema(minimum = 1, maximum = 100)]
        recovery_count: i32,
        /// A breach received this much later than it happened is late: nobody is notified of an alert of late breaches only.
        /// Seconds. Default: 900
        #[schema(minimum = 0, maximum = 31_536_000)]
        late_after_seconds: i32,
        /// Text of the notification, with {device_sn} {rule} {severity} {metric} {value} {min} {max} {event_type} {count} {time}
        /// {user} {org} {customer} {wearer} {room}. Default: "{wearer}: {rule}, {value}"
        #[schema(min_length = 1, max_length = 1000)]
        message: String,
    }
}

/// For whom a rule is; `None` in all four: for everybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleScope<'a> {
    /// A tenant.
    pub customer_id: Option<Id64>,
    /// An organisation unit with its sub-units.
    pub org_id: Option<Id64>,
    /// A wearer.
    pub user_id: Option<Id64>,
    /// A device.
    pub device_sn: Option<&'a str>,
}

impl RuleScope<'_> {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match (self.device_sn, self.user_id, self.org_id, self.customer_id) {
            (Some(_), ..) => "device",
            (_, Some(_), ..) => "person",
            (_, _, Some(_), _) => "unit",
            (.., Some(_)) => "tenant",
            _ => "everybody",
        }
    }

    /// Whether the rule is for everybody.
    pub fn is_everybody(self) -> bool {
        self == Self::default()
    }
}

macro_rules! scoped {
    ($($rule:ty),+) => {$(
        impl $rule {
            /// For whom it is.
            pub fn scope(&self) -> RuleScope<'_> {
                let Self { customer_id, org_id, user_id, ref device_sn, .. } = *self;
                RuleScope { customer_id, org_id, user_id, device_sn: device_sn.as_deref() }
            }
        }
    )+};
}
scoped!(AlertRule, RuleDraft);

/// Columns that people cannot write.
pub const KEPT_COLUMNS: [&str; 4] = ["rule_id", "version", "changed_at", "changed_by"];

impl RuleDraft {
    /// Reads its columns; an error names the column.
    ///
    /// # Errors
    /// A column is unknown, missing, or holds what it cannot.
    pub fn read(columns: Map<String, Value>) -> Result<Self, String> {
        serde_path_to_error::deserialize(Value::Object(columns)).map_err(|error| format!("the rule: {error}"))
    }

    /// Its columns as a JSON object, without those that are not set.
    pub fn columns(&self) -> Value {
        serde_json::to_value(self).expect("a rule has text for keys")
    }
}

impl AlertRule {
    /// All its columns as a JSON object.
    pub fn columns(&self) -> Value {
        serde_json::to_value(self).expect("a rule has text for keys")
    }
}
