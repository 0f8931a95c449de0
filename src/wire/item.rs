//! One record → a reading, or the reason for its refusal.
//!
//! Before: `gather` has the fields of a record and what it inherits from its wrappers. After: the reading is valid, see
//! `model::reading`.
//! Promise: a value is stored exactly, or the record is refused. A vital sign of 0 is "not measured". Of several faults only the
//! first is reported, in the order serial, time, owner, quantities, no known name. The refusal names the field as it was sent.

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;

use super::fields::{SampleFields, Slot};
use super::name;
use super::number::{Number, NumberFault};
use super::refusal::{RecordRefusal, no_serial, nothing_known, out_of_range, refuse};
use super::value::{Id, JsonValue};
use super::{Context, document, time};
use crate::metric::{Kind, Measurements, Metric, SqlType, Value};
use crate::model::{Owner, Reading, RejectReason, Source};

/// What a route requires of a record beyond the common rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct RouteRules {
    /// The kind of item it makes.
    pub(super) source: Source,
    /// Fewest characters of a serial.
    pub(super) min_serial_chars: usize,
    /// Is a record without a time refused? Otherwise it gets the time of receipt.
    pub(super) time_required: bool,
}

/// Values of the wrappers around a record, used where the record has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    device_sn: Option<String>,
    customer_id: Id,
    org_id: Id,
    user_id: Id,
    ts: Option<Timestamp>,
    /// All of it except the time, as text; made when it is first asked for.
    text: OnceCell<Option<Arc<str>>>,
}

impl Inherited {
    /// For the records inside the wrapper with these fields.
    pub(super) fn within(&self, wrapper: &SampleFields<'_>) -> Self {
        let device_sn = wrapper.named_serial().and_then(|value| value.serial().map(str::to_owned));
        Self {
            device_sn: device_sn.or_else(|| self.device_sn.clone()),
            ts: self.ts,
            ..self.with_ids([&wrapper.customer_id, &wrapper.org_id, &wrapper.user_id])
        }
    }

    /// For the sample of an event of this device, at this time. An id that cannot be read is left out.
    pub(super) fn within_event(&self, device_sn: Option<&str>, ids: Ids<'_>, ts: Option<Timestamp>) -> Self {
        let ids = self.with_ids(ids);
        Self {
            device_sn: device_sn.map(str::to_owned),
            customer_id: ids.customer_id.or_unknown(),
            org_id: ids.org_id.or_unknown(),
            user_id: ids.user_id.or_unknown(),
            ts,
            text: OnceCell::new(),
        }
    }

    /// As far as they can be read.
    pub(super) fn owner(&self) -> Owner {
        let id = |id: Id| if let Id::Known(id) = id { Some(id) } else { None };
        Owner { customer_id: id(self.customer_id), org_id: id(self.org_id), user_id: id(self.user_id) }
    }

    /// The serial a wrapper named.
    pub(super) fn device_sn(&self) -> Option<&str> {
        self.device_sn.as_deref()
    }

    fn with_ids(&self, [customer_id, org_id, user_id]: Ids<'_>) -> Self {
        Self {
            device_sn: None,
            customer_id: id_in(customer_id).or(self.customer_id),
            org_id: id_in(org_id).or(self.org_id),
            user_id: id_in(user_id).or(self.user_id),
            ts: None,
            text: OnceCell::new(),
        }
    }

    /// Reads what [`Inherited::text`] wrote; any other text gives nothing.
    pub(super) fn from_text(text: &str) -> Self {
        SampleFields::read(text).map(|fields| Self::default().within(&fields)).unwrap_or_default()
    }

    /// A JSON object with the names of the wire, for a replay of the record without its wrappers. `None`: nothing is inherited.
    pub(super) fn text(&self) -> Option<Arc<str>> {
        self.text.get_or_init(|| self.to_text()).clone()
    }

    fn to_text(&self) -> Option<Arc<str>> {
        let mut members = serde_json::Map::new();
        if let Some(serial) = &self.device_sn {
            members.insert("deviceSn".to_owned(), serial.as_str().into());
        }
        for (name, id) in [("customerId", self.customer_id), ("orgId", self.org_id), ("userId", self.user_id)]
        {
            match id {
                Id::Unknown => {}
                Id::Known(id) => drop(members.insert(name.to_owned(), id.to_string().into())),
                // `false` cannot be read as an id in a replay either.
                Id::Unreadable => drop(members.insert(name.to_owned(), false.into())),
            }
        }
        (!members.is_empty()).then(|| serde_json::Value::Object(members).to_string().into())
    }
}

/// Tenant, organisation unit, wearer.
pub(super) type Ids<'a> = [&'a Slot<Id>; 3];

fn id_in(slot: &Slot<Id>) -> Id {
    slot.get().copied().unwrap_or_default()
}

/// The serial of a record, its own or inherited. `None` also if its own is no valid serial. A record without measurements inherits
/// none: it would be a row of NULLs.
pub(super) fn serial<'a>(fields: &'a SampleFields<'_>, inherited: &'a Inherited) -> Option<&'a str> {
    match fields.device_sn.get() {
        Some(value) => value.serial(),
        None if fields.holds_measurement() => inherited.device_sn.as_deref(),
        None => None,
    }
}

/// Makes the reading.
pub(super) fn reading(
    fields: &SampleFields<'_>,
    inherited: &Inherited,
    context: &Context,
    rules: RouteRules,
    documents: &mut document::DocumentReader<'_>,
) -> Result<Reading, RecordRefusal> {
    let device_sn = required_serial(fields, inherited, rules)?;
    let ts = match fields.timestamp.get() {
        None if rules.time_required => {
            return refuse(RejectReason::BadTime, "timestamp is missing".to_owned());
        }
        None => inherited.ts.unwrap_or_else(|| time::to_microsecond(context.received_at)),
        Some(value) => instant(value, fields.timestamp.name_in(&name::TIMESTAMP), context)?,
    };
    let owner = owner([&fields.customer_id, &fields.org_id, &fields.user_id], inherited)?;
    let position = position([
        in_range(fields, Metric::Latitude)?,
        in_range(fields, Metric::Longitude)?,
        in_range(fields, Metric::Altitude)?,
    ]);
    let upload_method = fields.upload_method.get().and_then(|value| value.upload_method());
    if !fields.names_value() {
        return Err(nothing_known(fields.unknown()));
    }
    let documents = fields
        .documents()
        .filter_map(|(kind, raw)| documents.read(kind, raw, ts, upload_method.as_deref()))
        .collect();
    Ok(Reading { device_sn, ts, owner, measured: measurements(fields, position)?, upload_method, documents })
}

fn required_serial(
    fields: &SampleFields<'_>,
    inherited: &Inherited,
    rules: RouteRules,
) -> Result<String, RecordRefusal> {
    let least = rules.min_serial_chars;
    match serial(fields, inherited) {
        Some(serial) if serial.chars().nth(least - 1).is_some() => Ok(serial.to_owned()),
        Some(_) => {
            let name = fields.device_sn.name_in(&name::DEVICE_SN);
            refuse(RejectReason::BadSerial, format!("{name} has fewer than {least} characters"))
        }
        None => Err(no_serial(&fields.device_sn, &name::DEVICE_SN)),
    }
}

/// The instant in `value`, which was sent as `name`, if it is possible for a record received now.
pub(super) fn instant(
    value: &JsonValue<'_>,
    name: &str,
    context: &Context,
) -> Result<Timestamp, RecordRefusal> {
    match time::read(value, context) {
        Some(instant) => time::check_range(instant, name, context).map(|()| instant),
        None => refuse(
            RejectReason::BadTime,
            format!(
                "{name} is none of: yyyy-MM-dd HH:mm:ss, RFC 3339, positive epoch seconds or milliseconds"
            ),
        ),
    }
}

/// The owner of a record: its own ids, or those it inherits.
pub(super) fn owner(
    [customer_id, org_id, user_id]: Ids<'_>,
    inherited: &Inherited,
) -> Result<Owner, RecordRefusal> {
    let id = |which: usize, slot: &Slot<Id>, inherited: Id| match id_in(slot).or(inherited) {
        Id::Unknown => Ok(None),
        Id::Known(id) => Ok(Some(id)),
        Id::Unreadable => {
            let name = slot.name_in(&name::IDS[which]);
            refuse(RejectReason::BadValue, format!("{name} is not a whole number of at most 64 bits"))
        }
    };
    Ok(Owner {
        customer_id: id(0, customer_id, inherited.customer_id)?,
        org_id: id(1, org_id, inherited.org_id)?,
        user_id: id(2, user_id, inherited.user_id)?,
    })
}

/// Latitude, longitude, altitude. Without a fix a device sends 0/0, or 0 for one and nothing for the other; an altitude of 0 is no value then.
pub(super) fn position([latitude, longitude, altitude]: [Option<Number>; 3]) -> [Option<f64>; 3] {
    let is_zero = |number: Option<Number>| number.is_none_or(Number::is_zero);
    let double = |number: Option<Number>| number.map(Number::double);
    if is_zero(latitude) && is_zero(longitude) {
        [None, None, double(altitude.filter(|altitude| !altitude.is_zero()))]
    } else {
        [double(latitude), double(longitude), double(altitude)]
    }
}

/// All measurements, with a position that was read already.
fn measurements(
    fields: &SampleFields<'_>,
    [latitude, longitude, altitude]: [Option<f64>; 3],
) -> Result<Measurements, RecordRefusal> {
    let mut measured = Measurements { latitude, longitude, altitude, ..Measurements::default() };
    for metric in Metric::ALL {
        let number = match metric.kind() {
            Kind::VitalSign => nonzero_in_range(fields, metric)?,
            Kind::DayTotal => in_range(fields, metric)?,
            Kind::Position => None,
        };
        if let Some(number) = number {
            measured.set(metric, value(fields, metric, number)?);
        }
    }
    Ok(measured)
}

/// The value as its column takes it. A fraction of a whole-numbered metric (72.5 bpm) is refused rather than rounded: no device of
/// the fleet sends one, and a row holds what was sent or nothing.
fn value(fields: &SampleFields<'_>, metric: Metric, number: Number) -> Result<Value, RecordRefusal> {
    let whole = match metric.definition().sql_type {
        SqlType::Smallint => number.whole().and_then(|whole| i16::try_from(whole).ok()).map(Value::Smallint),
        SqlType::Integer => number.whole().and_then(|whole| i32::try_from(whole).ok()).map(Value::Integer),
        SqlType::Numeric => Some(Value::Numeric(number.decimal())),
        SqlType::DoublePrecision => Some(Value::DoublePrecision(number.double())),
    };
    match whole {
        Some(value) => Ok(value),
        None => refuse(
            RejectReason::BadValue,
            format!("{} {} is not a whole number", fields.quantity_name(metric), number.decimal()),
        ),
    }
}

/// A quantity of which 0 means "not measured".
fn nonzero_in_range(fields: &SampleFields<'_>, metric: Metric) -> Result<Option<Number>, RecordRefusal> {
    match fields.quantity(metric) {
        Ok(Some(number)) if number.is_zero() => Ok(None),
        _ => in_range(fields, metric),
    }
}

/// A quantity in the range that is possible for a body or a sensor.
fn in_range(fields: &SampleFields<'_>, metric: Metric) -> Result<Option<Number>, RecordRefusal> {
    let range = metric.range();
    let name = || fields.quantity_name(metric);
    match fields.quantity(metric) {
        Ok(None) => Ok(None),
        Ok(Some(number)) if number.is_in(&range) => Ok(Some(number)),
        Ok(Some(number)) => refuse(RejectReason::OutOfRange, out_of_range(name(), number, &range)),
        Err(NumberFault::TooLarge) => {
            let detail = format!("{} is outside {} to {}", name(), range.start(), range.end());
            refuse(RejectReason::OutOfRange, detail)
        }
        Err(NumberFault::NotANumber) => refuse(RejectReason::BadValue, format!("{} is not a number", name())),
    }
}
