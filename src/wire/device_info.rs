//! `POST /upload_device_info`: what a device reports about itself, in every shape and spelling.
//!
//! Before: `http::device_info` has the body. After: `ingest` takes the upload, `http::device_info` answers.
//! Promise: see [`super`]. A field that is absent, empty or `null` holds no value. A record with a field of a wrong kind is
//! refused, and kept as it was sent.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::gather::RecordPosition;
use super::item;
use super::records::{self, RecordReader};
use super::refusal::{self, RecordRefusal};
use super::{BodyError, Context, time};
use crate::model::device::model_of;
use crate::model::{ChargingStatus, DeviceInfo, DeviceInfoItem, NameKind, Reject, Source, Upload};
use fields::{InfoField, InfoFields};

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
    let mut collector = InfoCollector { context, upload: Upload::default() };
    records::read(body, &mut collector)?;
    Ok(collector.upload)
}

/// Reads one record by itself, as it was rejected.
pub(super) fn read_reject(record: &str, place: RecordPosition<'_>, context: &Context) -> Upload {
    let mut collector = InfoCollector { context, upload: Upload::default() };
    if collector.add_object(record, place).is_err() {
        collector.add_non_object(record, place);
    }
    collector.upload
}

struct InfoCollector<'c> {
    context: &'c Context,
    upload: Upload,
}

impl RecordReader for InfoCollector<'_> {
    fn is_record(&self, _text: &str) -> bool {
        false
    }

    fn add_object(&mut self, text: &str, place: RecordPosition<'_>) -> Result<(), BodyError> {
        let fields = InfoFields::read(text)?;
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
            Err(refusal) => {
                let device_sn = serial(&fields, place).map(str::to_owned);
                self.reject(refusal, device_sn, text, place);
            }
        }
        Ok(())
    }

    fn add_non_object(&mut self, text: &str, place: RecordPosition<'_>) {
        self.reject(RecordRefusal::not_an_object(), None, text, place);
    }

    fn record_count(&self) -> usize {
        self.upload.received()
    }
}

impl InfoCollector<'_> {
    fn reject(
        &mut self,
        refusal: RecordRefusal,
        device_sn: Option<String>,
        text: &str,
        place: RecordPosition<'_>,
    ) {
        self.upload.rejects.push(Reject {
            refusal: refusal.of_record(self.next_index()),
            device_sn,
            text: place.source.slice_ref(text.as_bytes()),
            inherited: place.inherited.text(),
            source: Source::DeviceInfo,
            received_at: self.context.received_at,
            key_customer_id: self.context.key_customer_id,
        });
    }

    fn next_index(&self) -> u32 {
        u32::try_from(self.record_count()).unwrap_or(u32::MAX)
    }
}

fn serial<'a>(fields: &'a InfoFields<'_>, place: RecordPosition<'a>) -> Option<&'a str> {
    match fields.get(InfoField::DeviceSn) {
        Some(value) => value.serial(),
        None => place.inherited.device_sn(),
    }
}

fn info(
    fields: &InfoFields<'_>,
    place: RecordPosition<'_>,
    context: &Context,
) -> Result<DeviceInfo, RecordRefusal> {
    let device_sn = serial(fields, place)
        .ok_or_else(|| refusal::no_serial(fields.serial_slot(), &[fields.sent_name(InfoField::DeviceSn)]))?
        .to_owned();
    let ts = match fields.get(InfoField::Timestamp) {
        None => time::to_microsecond(context.received_at),
        Some(value) => item::instant(value, fields.sent_name(InfoField::Timestamp), context)?,
    };
    if !fields.names_value() {
        return Err(refusal::nothing_known(fields.unknown()));
    }
    let system_version = fields.text(InfoField::SystemVersion)?;
    Ok(DeviceInfo {
        device_sn,
        ts,
        owner: item::owner(fields.ids.each_ref(), place.inherited)?,
        model: system_version.as_deref().and_then(model_of).map(str::to_owned),
        system_version,
        wifi_address: fields.text(InfoField::WifiAddress)?.map(mac_address),
        bluetooth_address: fields.text(InfoField::BluetoothAddress)?.map(mac_address),
        ip_address: fields.text(InfoField::IpAddress)?.map(ip_address),
        network_mode: fields.text(InfoField::NetworkMode)?,
        device_name: fields.text(InfoField::DeviceName)?,
        imei: fields.text(InfoField::Imei)?,
        battery_level: fields.quantity(InfoField::BatteryLevel, "%", &BATTERY_LEVELS)?,
        voltage: fields.quantity(InfoField::Voltage, "mv", &VOLTAGES)?,
        charging_status: fields.text(InfoField::ChargingStatus)?.map(|word| charging_status(&word)),
        wear_state: fields.text(InfoField::WearState)?.map(wear_state),
        status: fields.text(InfoField::Status)?,
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
