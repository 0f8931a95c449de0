//! One record → a reading, or why it cannot be one.
//!
//! Before: `gather` has the fields of a record and what its wrappers say for it. After: the reading is valid, see
//! `model::reading`.
//! Promise: a value is stored exactly or the record is refused; a vital sign of 0 is "not measured"; of several faults
//! the first is told, in the order serial, time, owner, quantities.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::fields::Fields;
use super::number::{Number, NumberFault};
use super::value::Id;
use super::{Context, time};
use crate::model::{Document, Owner, Reading, RejectReason, Source, Vital};

/// Why a record is refused, and the text that tells it.
pub(super) type Fault = (RejectReason, String);

/// What an endpoint asks of a record beyond the common rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The kind of item it makes.
    pub(super) source: Source,
    /// Fewest characters of a serial.
    pub(super) min_serial_chars: usize,
    /// Is a record without a time refused, rather than given the time of receipt?
    pub(super) time_required: bool,
}

/// What the objects around a record say for those inside that do not say it themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    device_sn: Option<String>,
    customer_id: Id,
    org_id: Id,
    user_id: Id,
    /// All of it as text, once a record has asked for it.
    text: OnceCell<Option<Arc<str>>>,
}

impl Inherited {
    /// For what lies inside the wrapper with these fields.
    pub(super) fn within(&self, wrapper: &Fields<'_>) -> Self {
        let device_sn = wrapper.named_serial().and_then(|held| held.serial().map(str::to_owned));
        Self {
            device_sn: device_sn.or_else(|| self.device_sn.clone()),
            customer_id: own(&wrapper.customer_id).or(self.customer_id),
            org_id: own(&wrapper.org_id).or(self.org_id),
            user_id: own(&wrapper.user_id).or(self.user_id),
            text: OnceCell::new(),
        }
    }

    /// What [`Inherited::text`] wrote; nothing, if it is none of that.
    pub(super) fn from_text(text: &str) -> Self {
        Fields::read(text).map(|fields| Self::default().within(&fields)).unwrap_or_default()
    }

    /// A JSON object in the names of the wire, for a record that may be read again without its wrappers. `None`: nothing
    /// is inherited.
    pub(super) fn text(&self) -> Option<Arc<str>> {
        self.text.get_or_init(|| self.to_text()).clone()
    }

    fn to_text(&self) -> Option<Arc<str>> {
        let mut said = serde_json::Map::new();
        if let Some(serial) = &self.device_sn {
            said.insert("deviceSn".to_owned(), serial.as_str().into());
        }
        for (name, id) in [("customerId", self.customer_id), ("orgId", self.org_id), ("userId", self.user_id)]
        {
            match id {
                Id::Unknown => {}
                Id::Known(id) => drop(said.insert(name.to_owned(), id.to_string().into())),
                // No id either when it is read again.
                Id::Unreadable => drop(said.insert(name.to_owned(), false.into())),
            }
        }
        (!said.is_empty()).then(|| serde_json::Value::Object(said).to_string().into())
    }
}

fn own(slot: &super::fields::Slot<Id>) -> Id {
    slot.get().copied().unwrap_or_default()
}

/// The serial a record names or is given; `None` also where it names something that is no serial. A record that holds
/// nothing is given none: it would be a row of NULLs.
pub(super) fn serial<'a>(fields: &'a Fields<'_>, inherited: &'a Inherited) -> Option<&'a str> {
    match fields.device_sn.get() {
        Some(held) => held.serial(),
        None if fields.holds_measurement() => inherited.device_sn.as_deref(),
        None => None,
    }
}

/// Makes the reading.
pub(super) fn reading(
    fields: &mut Fields<'_>,
    inherited: &Inherited,
    context: &Context,
    rules: Rules,
) -> Result<Reading, Fault> {
    let device_sn = required_serial(fields, inherited, rules)?;
    let ts = instant(fields, context, rules)?;
    let owner = owner(fields, inherited)?;
    let [latitude, longitude, altitude] = position(fields)?;
    Ok(Reading {
        device_sn,
        ts,
        owner,
        heart_rate: vital_sign(fields, Vital::HeartRate)?,
        blood_oxygen: vital_sign(fields, Vital::BloodOxygen)?,
        temperature: measured(fields, Vital::Temperature)?.map(Number::decimal),
        pressure_high: vital_sign(fields, Vital::PressureHigh)?,
        pressure_low: vital_sign(fields, Vital::PressureLow)?,
        stress: vital_sign(fields, Vital::Stress)?,
        step: whole(Vital::Step, ranged(fields, Vital::Step)?)?,
        distance: decimal(fields, Vital::Distance)?,
        calorie: decimal(fields, Vital::Calorie)?,
        latitude,
        longitude,
        altitude,
        upload_method: fields.upload_method.get().and_then(|held| held.upload_method()),
        documents: fields
            .take_documents()
            .map(|(kind, body)| Document { kind, body: Cow::into_owned(body) })
            .collect(),
    })
}

fn required_serial(fields: &Fields<'_>, inherited: &Inherited, rules: Rules) -> Result<String, Fault> {
    match serial(fields, inherited) {
        Some(serial) if serial.chars().nth(rules.min_serial_chars - 1).is_some() => Ok(serial.to_owned()),
        Some(_) => refuse(
            RejectReason::NoSerial,
            format!("the serial has fewer than {} characters", rules.min_serial_chars),
        ),
        None if fields.device_sn.get().is_some() => refuse(
            RejectReason::NoSerial,
            "the serial is not text of 1 to 64 bytes without control characters".to_owned(),
        ),
        None => refuse(RejectReason::NoSerial, "deviceSn is missing".to_owned()),
    }
}

fn instant(fields: &Fields<'_>, context: &Context, rules: Rules) -> Result<jiff::Timestamp, Fault> {
    match fields.timestamp.get() {
        None if rules.time_required => refuse(RejectReason::BadTime, "timestamp is missing".to_owned()),
        None => Ok(time::to_microsecond(context.received_at)),
        Some(held) => match time::read(held, &context.device_zone) {
            Some(instant) => time::judge(instant, context).map(|()| instant),
            None => refuse(
                RejectReason::BadTime,
                "timestamp is none of: yyyy-MM-dd HH:mm:ss, RFC 3339, positive epoch seconds or milliseconds"
                    .to_owned(),
            ),
        },
    }
}

fn owner(fields: &Fields<'_>, inherited: &Inherited) -> Result<Owner, Fault> {
    let id = |name: &str, id: Id| match id {
        Id::Unknown => Ok(None),
        Id::Known(id) => Ok(Some(id)),
        Id::Unreadable => {
            refuse(RejectReason::BadValue, format!("{name} is not a whole number of at most 64 bits"))
        }
    };
    Ok(Owner {
        customer_id: id("customer_id", own(&fields.customer_id).or(inherited.customer_id))?,
        org_id: id("org_id", own(&fields.org_id).or(inherited.org_id))?,
        user_id: id("user_id", own(&fields.user_id).or(inherited.user_id))?,
    })
}

/// Latitude, longitude, altitude. Without a fix a device sends 0/0, or 0 for one half and nothing for the other; an altitude of 0 means nothing then.
fn position(fields: &Fields<'_>) -> Result<[Option<f64>; 3], Fault> {
    let is_zero = |number: Option<Number>| number.is_none_or(Number::is_zero);
    let latitude = ranged(fields, Vital::Latitude)?;
    let longitude = ranged(fields, Vital::Longitude)?;
    let altitude = ranged(fields, Vital::Altitude)?;
    let double = |number: Option<Number>| number.map(Number::double);
    Ok(if is_zero(latitude) && is_zero(longitude) {
        [None, None, double(altitude.filter(|altitude| !altitude.is_zero()))]
    } else {
        [double(latitude), double(longitude), double(altitude)]
    })
}

/// A whole-numbered vital sign. A fraction (72.5 bpm) is refused rather than rounded: no device of the fleet sends one,
/// and a row holds what was sent or nothing.
fn vital_sign(fields: &Fields<'_>, vital: Vital) -> Result<Option<i16>, Fault> {
    whole(vital, measured(fields, vital)?)
}

fn decimal(fields: &Fields<'_>, vital: Vital) -> Result<Option<Decimal>, Fault> {
    Ok(ranged(fields, vital)?.map(Number::decimal))
}

fn whole<T: TryFrom<i64>>(vital: Vital, number: Option<Number>) -> Result<Option<T>, Fault> {
    let Some(number) = number else { return Ok(None) };
    match number.whole().and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => refuse(RejectReason::BadValue, format!("{} is not a whole number", vital.name())),
    }
}

/// A quantity of which 0 means that it was not measured.
fn measured(fields: &Fields<'_>, vital: Vital) -> Result<Option<Number>, Fault> {
    match fields.quantity(vital) {
        Ok(Some(number)) if number.is_zero() => Ok(None),
        _ => ranged(fields, vital),
    }
}

/// A quantity within what a body or a sensor can show.
fn ranged(fields: &Fields<'_>, vital: Vital) -> Result<Option<Number>, Fault> {
    match fields.quantity(vital) {
        Ok(None) => Ok(None),
        Ok(Some(number)) if number.is_in(&vital.range()) => Ok(Some(number)),
        Ok(Some(_)) | Err(NumberFault::TooLarge) => {
            let range = vital.range();
            refuse(
                RejectReason::OutOfRange,
                format!("{} is outside {} to {}", vital.name(), range.start(), range.end()),
            )
        }
        Err(NumberFault::NotANumber) => {
            refuse(RejectReason::BadValue, format!("{} is not a number", vital.name()))
        }
    }
}

fn refuse<T>(reason: RejectReason, detail: String) -> Result<T, Fault> {
    Err((reason, detail))
}
