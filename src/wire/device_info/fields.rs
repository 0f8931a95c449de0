//! The names of a field of device information, and what a record holds under them.
//!
//! Before: `records` found the record. After: `device_info` makes a value of each field.
//! Promise: as for `fields`: the first name of a meaning that holds a value wins, and no value makes a record unreadable.

use std::ops::RangeInclusive;

use crate::model::RejectReason;
use crate::wire::fields::{Slot, offer_id};
use crate::wire::item::{Fault, refuse};
use crate::wire::number::Number;
use crate::wire::object;
use crate::wire::value::{Held, Id};

/// Longest text of a field, bytes of UTF-8: several times what any device of the fleet sends.
const MAX_TEXT_BYTES: usize = 256;

/// What a field is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    DeviceSn,
    Timestamp,
    SystemVersion,
    WifiAddress,
    BluetoothAddress,
    IpAddress,
    NetworkMode,
    DeviceName,
    Imei,
    BatteryLevel,
    Voltage,
    ChargingStatus,
    WearState,
    Status,
}

impl Field {
    /// Column of `device_info`, or what stands for it.
    const fn name(self) -> &'static str {
        match self {
            Self::DeviceSn => "device_sn",
            Self::Timestamp => "timestamp",
            Self::SystemVersion => "system_version",
            Self::WifiAddress => "wifi_address",
            Self::BluetoothAddress => "bluetooth_address",
            Self::IpAddress => "ip_address",
            Self::NetworkMode => "network_mode",
            Self::DeviceName => "device_name",
            Self::Imei => "imei",
            Self::BatteryLevel => "battery_level",
            Self::Voltage => "voltage",
            Self::ChargingStatus => "charging_status",
            Self::WearState => "wear_state",
            Self::Status => "status",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Name {
    Field(Field, u8),
    /// 0 tenant, 1 organisation unit, 2 wearer.
    Id(usize, u8),
}

/// The table of the wire contract, section 2. The number is the place of a name in its row.
fn name(name: &[u8]) -> Option<Name> {
    use Name::{Field as F, Id};
    Some(match name {
        b"SerialNumber" => F(Field::DeviceSn, 0),
        b"serial_number" => F(Field::DeviceSn, 1),
        b"deviceSn" => F(Field::DeviceSn, 2),
        b"device_sn" => F(Field::DeviceSn, 3),
        b"System Software Version" => F(Field::SystemVersion, 0),
        b"system_version" => F(Field::SystemVersion, 1),
        b"systemVersion" => F(Field::SystemVersion, 2),
        b"Wifi Address" => F(Field::WifiAddress, 0),
        b"wifi_address" => F(Field::WifiAddress, 1),
        b"wifiAddress" => F(Field::WifiAddress, 2),
        b"Bluetooth Address" => F(Field::BluetoothAddress, 0),
        b"bluetooth_address" => F(Field::BluetoothAddress, 1),
        b"bluetoothAddress" => F(Field::BluetoothAddress, 2),
        b"IP Address" => F(Field::IpAddress, 0),
        b"ip_address" => F(Field::IpAddress, 1),
        b"ipAddress" => F(Field::IpAddress, 2),
        b"Network Access Mode" => F(Field::NetworkMode, 0),
        b"network_mode" => F(Field::NetworkMode, 1),
        b"networkMode" => F(Field::NetworkMode, 2),
        b"Device Name" => F(Field::DeviceName, 0),
        b"device_name" => F(Field::DeviceName, 1),
        b"deviceName" => F(Field::DeviceName, 2),
        b"IMEI" => F(Field::Imei, 0),
        b"imei" => F(Field::Imei, 1),
        b"batteryLevel" => F(Field::BatteryLevel, 0),
        b"battery_level" => F(Field::BatteryLevel, 1),
        b"voltage" => F(Field::Voltage, 0),
        b"chargingStatus" => F(Field::ChargingStatus, 0),
        b"charging_status" => F(Field::ChargingStatus, 1),
        b"wearState" => F(Field::WearState, 0),
        b"wear_state" => F(Field::WearState, 1),
        b"status" => F(Field::Status, 0),
        b"timestamp" => F(Field::Timestamp, 0),
        b"cjsj" => F(Field::Timestamp, 1),
        b"customerId" => Id(0, 0),
        b"customer_id" => Id(0, 1),
        b"orgId" => Id(1, 0),
        b"org_id" => Id(1, 1),
        b"userId" => Id(2, 0),
        b"user_id" => Id(2, 1),
        _ => return None,
    })
}

/// What one record holds.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    values: [Slot<Held<'a>>; Field::Status as usize + 1],
    /// Tenant, organisation unit, wearer.
    pub(super) ids: [Slot<Id>; 3],
}

impl<'a> Fields<'a> {
    /// Reads `text`, which is an object and nothing else.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut fields = Self::default();
        object::read(text, name, |name, raw| {
            let Some(held) = Held::from_raw(raw) else { return };
            match name {
                Name::Field(field, rank) => fields.values[field as usize].offer(rank, held),
                Name::Id(which, rank) => offer_id(&mut fields.ids[which], rank, &held),
            }
        })?;
        Ok(fields)
    }

    /// Does it say nothing of a device?
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|slot| slot.get().is_none())
    }

    /// What was sent for `field`.
    pub(super) fn get(&self, field: Field) -> Option<&Held<'a>> {
        self.values[field as usize].get()
    }

    /// What was sent for `field`, as text.
    pub(super) fn text(&self, field: Field) -> Result<Option<String>, Fault> {
        let Some(held) = self.get(field) else { return Ok(None) };
        match held.word() {
            Some(text) if text.len() > MAX_TEXT_BYTES => refuse(
                RejectReason::OutOfRange,
                format!("{} is longer than {MAX_TEXT_BYTES} bytes", field.name()),
            ),
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => refuse(RejectReason::BadValue, format!("{} is neither text nor a number", field.name())),
        }
    }

    /// A whole number, its unit behind it perhaps.
    pub(super) fn quantity<T: TryFrom<i64>>(
        &self,
        field: Field,
        unit: &str,
        range: &RangeInclusive<i32>,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let lower = text.to_ascii_lowercase();
        let digits = lower.strip_suffix(unit).unwrap_or(&lower).trim_end();
        let number = Number::read(digits).ok();
        match number.filter(|number| number.is_in(range)).and_then(Number::whole) {
            Some(whole) => Ok(T::try_from(whole).ok()),
            None if number.is_some_and(|number| !number.is_in(range)) => refuse(
                RejectReason::OutOfRange,
                format!("{} is outside {} to {}", field.name(), range.start(), range.end()),
            ),
            None => refuse(RejectReason::BadValue, format!("{} is not a whole number", field.name())),
        }
    }
}
