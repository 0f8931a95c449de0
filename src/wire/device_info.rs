//! `POST /upload_device_info`: what a device says of itself, in every shape and spelling.
//!
//! Before: `http::device_info` has the body. After: `ingest` takes the upload, `http::device_info` answers.
//! Promise: see [`super`]. A field that is absent, empty or `null` says nothing; one that cannot be what it should be
//! refuses its record, which is kept as it was sent.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::fault::{self, Fault};
use super::gather::RecordPosition;
use super::item;
use super::records::{self, Reader};
use super::{BodyError, Context, time};
use crate::model::device::model_of;
use crate::model::{
    ChargingStatus, DeviceInfo, DeviceInfoItem, NameKind, Refusal, Reject, RejectReason, Source, Upload,
};
use fields::{Field, Fields};

mod fields;
#[cfg(test)]
mod tests;

/// Percent a battery can show.
const BATTERY_LEVELS: std::ops::RangeInclusive<i32> = 0..=100;

/// Millivolts a battery can show.
const VOLTAGES: std::ops::RangeInclusive<i32> = 0..=100_000;

/// Reads an upload.
///
/// # Errors
/// The body holds no device information. A record that cannot be stored is no error but a reject of the upload.
pub fn parse(body: &Bytes, context: &Context) -> Result<Upload, BodyError> {
    let mut gathering = Gathering { context, upload: Upload::default() };
    records::read(body, &mut gathering)?;
    Ok(gathering.upload)
}

/// Reads one record by itself, as it was rejected.
pub(super) fn read_reject(record: &str, place: RecordPosition<'_>, context: &Context) -> Upload {
    let mut gathering = Gathering { context, upload: Upload::default() };
    if gathering.object(record, place).is_err() {
        gathering.no_object(record, place);
    }
    gathering.upload
}

struct Gathering<'c> {
    context: &'c Context,
    upload: Upload,
}

impl Reader for Gathering<'_> {
    fn is_record(&self, _text: &str) -> bool {
        false
    }

    fn object(&mut self, text: &str, place: RecordPosition<'_>) -> Result<(), BodyError> {
        let fields = Fields::read(text)?;
        if place.depth == 0 && fields.is_empty() {
            return Err(BodyError::NoItem);
        }
        for name in fields.unknown() {
            self.upload.unknown.add(NameKind::DeviceInfo, name, serial(&fields, place));
        }
        match info(&fields, place, self.context) {
            Ok(info) => {
                let (index, text) = (self.next_index(), place.source.slice_ref(text.as_bytes()));
                let &Context { received_at, key_customer_id, .. } = self.context;
                let inherited = place.inherited.text();
                let item = DeviceInfoItem { index, info, text, inherited, received_at, key_customer_id };
                self.upload.device_infos.push(item);
            }
            Err(fault) => {
                let device_sn = serial(&fields, place).map(str::to_owned);
                self.reject(fault, device_sn, text, place);
            }
        }
        Ok(())
    }

    fn no_object(&mut self, text: &str, place: RecordPosition<'_>) {
        let fault = (RejectReason::NotAnObject, "the record is not a JSON object".to_owned());
        self.reject(fault, None, text, place);
    }

    fn taken(&self) -> usize {
        self.upload.received()
    }
}

impl Gathering<'_> {
    fn reject(
        &mut self,
        (reason, detail): Fault,
        device_sn: Option<String>,
        text: &str,
        place: RecordPosition<'_>,
    ) {
        self.upload.rejects.push(Reject {
            refusal: Refusal { index: self.next_index(), reason, detail },
            device_sn,
            text: place.source.slice_ref(text.as_bytes()),
            inherited: place.inherited.text(),
            source: Source::DeviceInfo,
            received_at: self.context.received_at,
            key_customer_id: self.context.key_customer_id,
        });
    }

    fn next_index(&self) -> u32 {
        u32::try_from(self.taken()).unwrap_or(u32::MAX)
    }
}

fn serial<'a>(fields: &'a Fields<'_>, place: RecordPosition<'a>) -> Option<&'a str> {
    match fields.get(Field::DeviceSn) {
        Some(held) => held.serial(),
        None => place.inherited.device_sn(),
    }
}

fn info(fields: &Fields<'_>, place: RecordPosition<'_>, context: &Context) -> Result<DeviceInfo, Fault> {
    let device_sn = serial(fields, place)
        .ok_or_else(|| fault::no_serial(fields.serial_slot(), &[fields.sent_name(Field::DeviceSn)]))?
        .to_owned();
    let ts = match fields.get(Field::Timestamp) {
        None => time::to_microsecond(context.received_at),
        Some(held) => item::instant(held, fields.sent_name(Field::Timestamp), context)?,
    };
    if !fields.names_value() {
        return Err(fault::nothing_known(fields.unknown()));
    }
    let system_version = fields.text(Field::SystemVersion)?;
    Ok(DeviceInfo {
        device_sn,
        ts,
        owner: item::owner(fields.ids.each_ref(), place.inherited)?,
        model: system_version.as_deref().and_then(model_of).map(str::to_owned),
        system_version,
        wifi_address: fields.text(Field::WifiAddress)?.map(mac_address),
        bluetooth_address: fields.text(Field::BluetoothAddress)?.map(mac_address),
        ip_address: fields.text(Field::IpAddress)?.map(ip_address),
        network_mode: fields.text(Field::NetworkMode)?,
        device_name: fields.text(Field::DeviceName)?,
        imei: fields.text(Field::Imei)?,
        battery_level: fields.quantity(Field::BatteryLevel, "%", &BATTERY_LEVELS)?,
        voltage: fields.quantity(Field::Voltage, "mv", &VOLTAGES)?,
        charging_status: fields.text(Field::ChargingStatus)?.map(|word| charging_status(&word)),
        wear_state: fields.text(Field::WearState)?.map(wear_state),
        status: fields.text(Field::Status)?,
    })
}

/// Devices write either case, and colons or hyphens.
fn mac_address(sent: String) -> String {
    let separator = if sent.contains('-') { '-' } else { ':' };
    let pairs: Vec<&str> = sent.split(separator).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    if pairs.len() == 6 && pairs.iter().all(is_pair) { pairs.join(":").to_ascii_uppercase() } else { sent }
}

/// Devices with both kinds of address write them in one text, with a line break between them, which may be an escaped one,
/// or a comma: the first IPv4 in it, else the first IPv6, else the text.
fn ip_address(sent: String) -> String {
    let is_v4 = |word: &&str| word.parse::<Ipv4Addr>().is_ok();
    if let Some(v4) = sent.split(|c: char| !c.is_ascii_digit() && c != '.').find(is_v4) {
        return v4.to_owned();
    }
    let separated =
        ["\\n", "\\r", "\\t", ","].iter().fold(sent.clone(), |text, mark| text.replace(mark, " "));
    let address = separated.split_whitespace().find_map(|word| {
        // Behind these stand the interface, or the bits of the network.
        let word = word.split(['%', '/']).next()?.trim_matches(['[', ']']);
        word.parse::<Ipv6Addr>().is_ok().then(|| word.to_owned())
    });
    address.unwrap_or(sent)
}

fn charging_status(word: &str) -> ChargingStatus {
    match word.to_ascii_uppercase().as_str() {
        "CHARGING" | "ENABLE" | "1" | "TRUE" => ChargingStatus::Charging,
        "NOT_CHARGING" | "NONE" | "0" | "FALSE" => ChargingStatus::NotCharging,
        _ => ChargingStatus::Unknown,
    }
}

fn wear_state(sent: String) -> String {
    match sent.to_ascii_uppercase().as_str() {
        "1" | "1.0" | "TRUE" | "ON" | "WORN" => "1".to_owned(),
        "0" | "0.0" | "FALSE" | "OFF" | "NOT_WORN" => "0".to_owned(),
        _ => sent,
    }
}
