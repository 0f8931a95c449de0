//! The bodies of device information and events, described: what `wire::device_info` and `wire::event` read.
//!
//! Before: the routes name them. After: the document.
//! Promise: every name told here is read.

use std::borrow::Cow;

use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A body of `/upload_device_info`.
pub(in crate::http) struct DeviceInfoUpload;

/// A body of `/upload_common_event`.
pub(in crate::http) struct CommonEvent;

/// A field: the name of today, what it means, the other names.
type Field = (&'static str, &'static str, &'static [&'static str]);

const DEVICE_INFO: &[Field] = &[
    ("SerialNumber", "Serial, 1 to 64 bytes", &["serial_number", "deviceSn"]),
    ("timestamp", "When it was so; missing: when it was received", &[]),
    ("customer_id", "Tenant", &["customerId"]),
    ("org_id", "Organisation unit", &["orgId"]),
    ("user_id", "Wearer", &["userId"]),
    ("System Software Version", "Firmware; the model is its leading part", &["system_version"]),
    ("Wifi Address", "MAC address", &["wifi_address"]),
    ("Bluetooth Address", "MAC address", &["bluetooth_address"]),
    ("IP Address", "One or more; the first IPv4 is kept", &["ip_address"]),
    ("Network Access Mode", "Number or text", &["network_mode"]),
    ("Device Name", "Name", &["device_name"]),
    ("IMEI", "IMEI", &["imei"]),
    ("batteryLevel", "Percent, with or without the sign", &["battery_level"]),
    ("voltage", "mV", &[]),
    ("chargingStatus", "CHARGING, NOT_CHARGING, or what stands for one of them", &["charging_status"]),
    ("wearState", "0 off, 1 on; number or text", &["wear_state"]),
    ("status", "State", &[]),
];

const EVENT: &[Field] = &[
    ("eventType", "Action name; the type is what follows its last dot", &["action"]),
    ("eventValue", "What the event says", &["value"]),
    ("deviceSn", "Serial, 1 to 64 bytes", &["device_sn"]),
    ("timestamp", "When it happened; missing or impossible: when it was received", &[]),
    ("customerId", "Tenant", &["customer_id"]),
    ("orgId", "Organisation unit", &["org_id"]),
    ("userId", "Wearer", &["user_id"]),
    ("latitude", "Degrees north; 0/0 is no position", &[]),
    ("longitude", "Degrees east; 0/0 is no position", &[]),
    ("altitude", "Metres", &[]),
    ("healthData", "A sample, alone or under `data`, as JSON or as text of it", &["heatlhData"]),
];

fn object(description: &'static str, fields: &[Field]) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().description(Some(description));
    for (name, meaning, others) in fields {
        let mut text = format!("{meaning}.");
        if !others.is_empty() {
            let names: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&format!(" Also: {}.", names.join(", ")));
        }
        let field = ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(text));
        object = object.property(*name, field);
    }
    object.into()
}

/// One of them, several, or either under `data`, with a `type` beside it.
fn any_shape(item: &RefOr<Schema>) -> RefOr<Schema> {
    let several: RefOr<Schema> = ArrayBuilder::new().items(item.clone()).into();
    let inner = AnyOfBuilder::new().item(item.clone()).item(several.clone());
    let wrapped = ObjectBuilder::new()
        .property("type", ObjectBuilder::new().schema_type(Type::String))
        .property("data", inner)
        .required("data");
    AnyOfBuilder::new().item(item.clone()).item(several).item(wrapped).into()
}

impl PartialSchema for DeviceInfoUpload {
    fn schema() -> RefOr<Schema> {
        any_shape(&object(
            "What a device says of itself. A field that is absent leaves what is known.",
            DEVICE_INFO,
        ))
    }
}

impl ToSchema for DeviceInfoUpload {
    fn name() -> Cow<'static, str> {
        "DeviceInfoUpload".into()
    }
}

impl PartialSchema for CommonEvent {
    fn schema() -> RefOr<Schema> {
        any_shape(&object("An event. Types that nobody knows are kept, too.", EVENT))
    }
}

impl ToSchema for CommonEvent {
    fn name() -> Cow<'static, str> {
        "CommonEvent".into()
    }
}
