//! What a device reports about itself: firmware, addresses, battery, whether it is worn.
//!
//! Before: `wire::device_info` reads it from an upload; `store::device` reads back what is known of a device.
//! After: `store::device_info` keeps it, `cache::device_info` shows it.
//! Promise: an absent field was not sent, and does not change the value before.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::Owner;

/// One message of a device about itself; also everything that is known of a device, put together from its messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Serial of the device, as in [`super::Reading`].
    pub device_sn: String,
    /// Event time of the message. For a device: the newest time of its messages, where a message that is dated ahead has its time of
    /// receipt.
    pub ts: Timestamp,
    /// The owner, as far as the message names it.
    pub owner: Owner,
    /// Firmware, as sent.
    pub system_version: Option<String>,
    /// The model the firmware names: see [`model_of`].
    pub model: Option<String>,
    /// MAC address of the WLAN, upper case with colons; as sent where it is none.
    pub wifi_address: Option<String>,
    /// MAC address of Bluetooth, in the same form.
    pub bluetooth_address: Option<String>,
    /// The first IPv4 address it named; what it named where that is none.
    pub ip_address: Option<String>,
    /// How it reaches the network: its own number or word.
    pub network_mode: Option<String>,
    /// Name its wearer sees.
    pub device_name: Option<String>,
    /// IMEI of its modem.
    pub imei: Option<String>,
    /// Battery, percent.
    pub battery_level: Option<i16>,
    /// Battery, millivolts.
    pub voltage: Option<i32>,
    /// Whether it is being charged.
    pub charging_status: Option<ChargingStatus>,
    /// `0` not worn, `1` worn; the device's own word where it is neither.
    pub wear_state: Option<String>,
    /// State it says it is in, its own word.
    pub status: Option<String>,
}

/// Whether a battery is being charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargingStatus {
    /// It is.
    Charging,
    /// It is not.
    NotCharging,
    /// The device sent another value.
    Unknown,
}

impl ChargingStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Charging, Self::NotCharging, Self::Unknown];

    /// The word in `charging_status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charging => "CHARGING",
            Self::NotCharging => "NOT_CHARGING",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The state of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A message with what is needed to reject it later, should the database refuse it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceInfoItem {
    /// Place in the upload, from 0.
    pub index: u32,
    /// What the device says.
    pub info: DeviceInfo,
    /// The message as it was sent: a slice of the request body.
    pub text: Bytes,
    /// What it inherits from its wrappers: see [`super::Reject::inherited`].
    pub inherited: Option<Arc<str>>,
    /// When the upload was received.
    pub received_at: Timestamp,
    /// Tenant of the key it was sent with; 0: of a key of one device; `None`: a key of every tenant, or none.
    pub key_customer_id: Option<i64>,
}

/// The model a firmware begins with, `AAA-AAnn` (`CRF-AL00` of `CRF-AL00CN 4.0.0.900`). `None`: it begins otherwise.
pub fn model_of(system_version: &str) -> Option<&str> {
    let model = system_version.get(..8)?;
    let fits = |pattern: u8, byte: u8| match pattern {
        b'A' => byte.is_ascii_alphabetic(),
        b'n' => byte.is_ascii_digit(),
        same => byte == same,
    };
    b"AAA-AAnn".iter().zip(model.bytes()).all(|(pattern, byte)| fits(*pattern, byte)).then_some(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_what_the_firmware_begins_with() {
        for (firmware, model) in [
            ("CRF-AL00CN 4.0.0.900(C00E900R1P1)", Some("CRF-AL00")),
            ("ARC-AL10", Some("ARC-AL10")),
            ("ARC-AL1", None),
            ("HarmonyOS 4.0", None),
            ("AR1-AL10", None),
            ("手表-AL10CN", None),
            ("", None),
        ] {
            assert_eq!(model_of(firmware), model, "{firmware}");
        }
    }
}
