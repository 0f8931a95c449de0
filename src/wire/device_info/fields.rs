//! The fields of device information, and their names.
//!
//! Before: `records` found the record. After: `device_info` makes a value of each field.
//! Promise: as for the fields of a sample: the first name of a field that has a value wins, and no value makes a record unreadable.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::model::RejectReason;
use crate::wire::fields::{Slot, set_id_if_preferred};
use crate::wire::number::Number;
use crate::wire::object::{self, Member};
use crate::wire::refusal::{self, RecordRefusal, refuse};
use crate::wire::value::{Id, JsonValue};

/// Longest text of a field, bytes of UTF-8: several times what any device of the fleet sends.
const MAX_TEXT_BYTES: usize = 256;

/// A field with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InfoField {
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

#[derive(Debug, Clone, Copy)]
enum InfoName {
    Field(InfoField, u8),
    /// 0 tenant, 1 organisation unit, 2 wearer.
    Id(usize, u8),
    /// Known and not used.
    Unused,
}

/// The table of the wire contract, section 2, read both ways. The number is the place of a name in its row.
macro_rules! fields {
    ($($name:literal => $field:ident, $rank:literal;)*) => {
        fn value_field_of_name(name: &[u8]) -> Option<InfoName> {
            Some(match name {
                $($name => InfoName::Field(InfoField::$field, $rank),)*
                _ => return None,
            })
        }

        /// The name of this rank, as it stands in the upload.
        fn name_of_field(field: InfoField, rank: u8) -> &'static [u8] {
            match (field, rank) {
                $((InfoField::$field, $rank) => $name,)*
                // Sent under none.
                (field, _) => name_of_field(field, 0),
            }
        }
    };
}

fields! {
    b"SerialNumber" => DeviceSn, 0;
    b"serial_number" => DeviceSn, 1;
    b"deviceSn" => DeviceSn, 2;
    b"device_sn" => DeviceSn, 3;
    b"System Software Version" => SystemVersion, 0;
    b"system_version" => SystemVersion, 1;
    b"systemVersion" => SystemVersion, 2;
    b"Wifi Address" => WifiAddress, 0;
    b"wifi_address" => WifiAddress, 1;
    b"wifiAddress" => WifiAddress, 2;
    b"Bluetooth Address" => BluetoothAddress, 0;
    b"bluetooth_address" => BluetoothAddress, 1;
    b"bluetoothAddress" => BluetoothAddress, 2;
    b"IP Address" => IpAddress, 0;
    b"ip_address" => IpAddress, 1;
    b"ipAddress" => IpAddress, 2;
    b"Network Access Mode" => NetworkMode, 0;
    b"network_mode" => NetworkMode, 1;
    b"networkMode" => NetworkMode, 2;
    b"Device Name" => DeviceName, 0;
    b"device_name" => DeviceName, 1;
    b"deviceName" => DeviceName, 2;
    b"IMEI" => Imei, 0;
    b"imei" => Imei, 1;
    b"batteryLevel" => BatteryLevel, 0;
    b"battery_level" => BatteryLevel, 1;
    b"voltage" => Voltage, 0;
    b"chargingStatus" => ChargingStatus, 0;
    b"charging_status" => ChargingStatus, 1;
    b"wearState" => WearState, 0;
    b"wear_state" => WearState, 1;
    b"status" => Status, 0;
    b"timestamp" => Timestamp, 0;
    b"cjsj" => Timestamp, 1;
}

fn field_of_name(name: &[u8]) -> Option<InfoName> {
    use InfoName::Id;
    Some(match name {
        b"customerId" => Id(0, 0),
        b"customer_id" => Id(0, 1),
        b"orgId" => Id(1, 0),
        b"org_id" => Id(1, 1),
        b"userId" => Id(2, 0),
        b"user_id" => Id(2, 1),
        // Of the envelope of the phone app.
        b"type" => InfoName::Unused,
        other => return value_field_of_name(other),
    })
}

/// Texts of the phone app that mean "unknown".
const PLACEHOLDERS: [&str; 3] = ["未知", "未知设备", "未知版本"];

/// The fields of one record.
#[derive(Debug, Default)]
pub(super) struct InfoFields<'a> {
    values: [Slot<JsonValue<'a>>; InfoField::Status as usize + 1],
    /// Tenant, organisation unit, wearer.
    pub(super) ids: [Slot<Id>; 3],
    /// Is a field named that describes a device, whatever its value?
    names_value: bool,
    unknown: Vec<Cow<'a, [u8]>>,
}

/// Most unknown names that are kept of one record.
const MAX_UNKNOWN: usize = 16;

impl<'a> InfoFields<'a> {
    /// Reads `text`, which is an object and nothing else.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut fields = Self::default();
        object::read(text, field_of_name, |member| match member {
            Member::Known(name, raw) => fields.set(name, raw),
            Member::Unknown(name) if fields.unknown.len() < MAX_UNKNOWN => fields.unknown.push(name),
            Member::Unknown(_) => {}
        })?;
        Ok(fields)
    }

    fn set(&mut self, name: InfoName, raw: &'a str) {
        self.names_value |= match name {
            InfoName::Field(field, _) => !matches!(field, InfoField::DeviceSn | InfoField::Timestamp),
            InfoName::Id(..) => true,
            InfoName::Unused => false,
        };
        let Some(value) = JsonValue::from_raw(raw).filter(|value| !is_placeholder(value)) else { return };
        match name {
            InfoName::Field(field, rank) => self.values[field as usize].set_if_preferred(rank, value),
            InfoName::Id(which, rank) => set_id_if_preferred(&mut self.ids[which], rank, &value),
            InfoName::Unused => {}
        }
    }

    /// Is a field named that describes a device, even if its value is unknown?
    pub(super) const fn names_value(&self) -> bool {
        self.names_value
    }

    /// Names that are not known, at most [`MAX_UNKNOWN`].
    pub(super) fn unknown(&self) -> &[Cow<'a, [u8]>] {
        &self.unknown
    }

    /// The serial as it was sent, for [`super::super::refusal::no_serial`].
    pub(super) const fn serial_slot(&self) -> &Slot<JsonValue<'a>> {
        &self.values[InfoField::DeviceSn as usize]
    }

    /// The name under which `field` was sent.
    pub(super) fn sent_name(&self, field: InfoField) -> &'static str {
        std::str::from_utf8(name_of_field(field, self.values[field as usize].rank())).unwrap_or_default()
    }

    /// Has no field a value?
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().all(|slot| slot.get().is_none())
    }

    /// What was sent for `field`.
    pub(super) fn get(&self, field: InfoField) -> Option<&JsonValue<'a>> {
        self.values[field as usize].get()
    }

    /// What was sent for `field`, as text.
    pub(super) fn text(&self, field: InfoField) -> Result<Option<String>, RecordRefusal> {
        let Some(value) = self.get(field) else { return Ok(None) };
        match value.scalar_text() {
            Some(text) if text.len() > MAX_TEXT_BYTES => refuse(
                RejectReason::OutOfRange,
                format!("{} has {} bytes, and may have {MAX_TEXT_BYTES}", self.sent_name(field), text.len()),
            ),
            Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            None => {
                let name = self.sent_name(field);
                refuse(RejectReason::BadValue, format!("{name} is neither text nor a number"))
            }
        }
    }

    /// A whole number, perhaps with its unit. Devices send 0 for an unknown value.
    pub(super) fn quantity<T: TryFrom<i64>>(
        &self,
        field: InfoField,
        unit: &str,
        range: &RangeInclusive<i32>,
    ) -> Result<Option<T>, RecordRefusal> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let name = self.sent_name(field);
        let lower = text.to_ascii_lowercase();
        let digits = lower.strip_suffix(unit).unwrap_or(&lower).trim_end();
        match Number::read(digits) {
            Ok(number) if number.is_zero() => Ok(None),
            Ok(number) if !number.is_in(range) => {
                refuse(RejectReason::OutOfRange, refusal::out_of_range(name, number, range))
            }
            Ok(number) if number.whole().is_some() => {
                Ok(number.whole().and_then(|whole| T::try_from(whole).ok()))
            }
            _ => refuse(RejectReason::BadValue, format!("{name} is not a whole number")),
        }
    }
}

fn is_placeholder(value: &JsonValue<'_>) -> bool {
    matches!(value, JsonValue::Text(text) if PLACEHOLDERS.contains(&text.trim()))
}
