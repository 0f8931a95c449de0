//! The bodies of device information and events, described: what `wire::device_info` and `wire::event` read.
//!
//! Before: the routes name them. After: the document.
//! Promise: every name in the document is read (tests send one record with each).

use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

type NamedSchemas = Vec<(String, RefOr<Schema>)>;

/// A body of `/upload_device_info`.
pub(in crate::http) struct DeviceInfoUpload;

/// A body of `/upload_common_event`.
pub(in crate::http) struct EventUpload;

/// A body of `/upload_watch_log`.
pub(in crate::http) struct WatchLogUpload;

struct DeviceInfoItem;
struct EventItem;
struct WatchLogLine;

/// What may stand in a field.
#[derive(Clone, Copy)]
enum FieldType {
    /// Text; a number stands for its digits.
    Text,
    /// A number, or text of one.
    Number,
    /// Text, a number, true or false.
    Word,
    /// JSON, or text of it.
    Json,
}
use FieldType::{Json, Number, Text, Word};

/// A field: the name of today, what it means, the other names, what it holds.
type Field = (&'static str, &'static str, &'static [&'static str], FieldType);

const DEVICE_INFO: &[Field] = &[
    ("SerialNumber", "Serial, 1 to 64 bytes", &["serial_number", "deviceSn", "device_sn"], Text),
    ("timestamp", "When it was so, as in a sample; missing: when it was received", &["cjsj"], Number),
    ("customerId", "Tenant", &["customer_id"], Text),
    ("orgId", "Organisation unit", &["org_id"], Text),
    ("userId", "Wearer", &["user_id"], Text),
    (
        "System Software Version",
        "Firmware; the model is its leading part",
        &["system_version", "systemVersion"],
        Text,
    ),
    ("Wifi Address", "MAC address, either case", &["wifi_address", "wifiAddress"], Text),
    ("Bluetooth Address", "MAC address, either case", &["bluetooth_address", "bluetoothAddress"], Text),
    ("IP Address", "One or several; the first IPv4 is kept", &["ip_address", "ipAddress"], Text),
    ("Network Access Mode", "Number or text", &["network_mode", "networkMode"], Text),
    ("Device Name", "Name", &["device_name", "deviceName"], Text),
    ("IMEI", "IMEI", &["imei"], Text),
    ("batteryLevel", "Percent, 0 to 100, with or without the sign", &["battery_level"], Number),
    ("voltage", "mV", &[], Number),
    ("chargingStatus", "CHARGING, NOT_CHARGING, or what stands for one of them", &["charging_status"], Word),
    ("wearState", "1 worn, 0 not", &["wear_state"], Word),
    ("status", "State", &[], Word),
];

const EVENT: &[Field] = &[
    (
        "eventType",
        "Full name of the action; the type is what follows its last dot",
        &["event_type", "action"],
        Text,
    ),
    ("eventValue", "What the event says", &["event_value", "value"], Word),
    ("deviceSn", "Serial, 1 to 64 bytes", &["device_sn", "id"], Text),
    (
        "timestamp",
        "When it happened, as in a sample; missing or impossible: when it was received",
        &["cjsj"],
        Number,
    ),
    ("customerId", "Tenant", &["customer_id"], Text),
    ("orgId", "Organisation unit", &["org_id"], Text),
    ("userId", "Wearer", &["user_id"], Text),
    ("latitude", "Degrees north; 0/0 is no position", &["wd"], Number),
    ("longitude", "Degrees east; 0/0 is no position", &["jd"], Number),
    ("altitude", "Metres", &["hb"], Number),
    ("healthData", "A sample, alone or under `data`", &["heatlhData", "health_data"], Json),
];

const WATCH_LOG: &[Field] = &[
    ("deviceSn", "Serial, 1 to 64 bytes", &["device_sn"], Text),
    (
        "timestamp",
        "When it was written, as in a sample; missing or impossible: when it was received",
        &[],
        Number,
    ),
    ("level", "How grave it is, the word of the device", &[], Word),
    ("content", "The line; what goes beyond 16 KiB is cut off", &[], Json),
];

impl FieldType {
    fn types(self) -> SchemaType {
        match self {
            Text => SchemaType::Array(vec![Type::String, Type::Integer, Type::Null]),
            Number => SchemaType::Array(vec![Type::String, Type::Number, Type::Null]),
            Word => SchemaType::Array(vec![Type::String, Type::Number, Type::Boolean, Type::Null]),
            Json => SchemaType::Array(vec![Type::Object, Type::String, Type::Null]),
        }
    }
}

fn object(description: &'static str, fields: &[Field]) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().description(Some(description));
    for (name, meaning, others, holds) in fields {
        let mut text = format!("{meaning}.");
        if !others.is_empty() {
            let names: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&format!(" Also: {}.", names.join(", ")));
        }
        object =
            object.property(*name, ObjectBuilder::new().schema_type(holds.types()).description(Some(text)));
    }
    object.into()
}

/// One of them, several, or either under `data`, also as text.
fn any_shape<T: ToSchema>() -> RefOr<Schema> {
    let one = || Ref::from_schema_name(T::name());
    let several = || ArrayBuilder::new().items(one());
    let data = AnyOfBuilder::new()
        .item(one())
        .item(several())
        .item(ObjectBuilder::new().schema_type(Type::String))
        .description(Some("A record, or several; also as JSON text."));
    let wrapped = ObjectBuilder::new()
        .property("type", ObjectBuilder::new().schema_type(Type::String))
        .property("data", data)
        .required("data");
    AnyOfBuilder::new()
        .description(Some("Records in an envelope, or bare. Not empty, and not null."))
        .item(one())
        .item(several())
        .item(wrapped)
        .into()
}

impl PartialSchema for DeviceInfoItem {
    fn schema() -> RefOr<Schema> {
        object("What a device says of itself. A field that is absent leaves what is known.", DEVICE_INFO)
    }
}

impl ToSchema for DeviceInfoItem {}

impl PartialSchema for DeviceInfoUpload {
    fn schema() -> RefOr<Schema> {
        any_shape::<DeviceInfoItem>()
    }
}

impl ToSchema for DeviceInfoUpload {
    fn schemas(schemas: &mut NamedSchemas) {
        schemas.push((DeviceInfoItem::name().into(), DeviceInfoItem::schema()));
    }
}

impl PartialSchema for EventItem {
    fn schema() -> RefOr<Schema> {
        object("An event. Types that nobody knows are kept, too.", EVENT)
    }
}

impl ToSchema for EventItem {}

impl PartialSchema for EventUpload {
    fn schema() -> RefOr<Schema> {
        any_shape::<EventItem>()
    }
}

impl ToSchema for EventUpload {
    fn schemas(schemas: &mut NamedSchemas) {
        schemas.push((EventItem::name().into(), EventItem::schema()));
    }
}

impl PartialSchema for WatchLogLine {
    fn schema() -> RefOr<Schema> {
        object("A line of the log of a watch.", WATCH_LOG)
    }
}

impl ToSchema for WatchLogLine {}

impl PartialSchema for WatchLogUpload {
    fn schema() -> RefOr<Schema> {
        any_shape::<WatchLogLine>()
    }
}

impl ToSchema for WatchLogUpload {
    fn schemas(schemas: &mut NamedSchemas) {
        schemas.push((WatchLogLine::name().into(), WatchLogLine::schema()));
    }
}
