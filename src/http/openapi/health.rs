//! The bodies of the health uploads, described: what `wire::health` and `wire::batch` read.
//!
//! Before: the routes name them. After: the document.
//! Promise: every name in the document is read (tests upload one item with each); ranges are those of `metric`.

use std::borrow::Cow;

use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::metric::{Kind, Metric};

type NamedSchemas = Vec<(String, RefOr<Schema>)>;

/// A body of `/upload_health_data`.
pub(in crate::http) struct HealthUpload;

/// A body of `/upload_health_data_batch`.
pub(in crate::http) struct HealthBatch;

struct HealthEnvelope;
struct HealthItem;

/// What may stand in a field.
#[derive(Clone, Copy)]
enum FieldType {
    Serial,
    Id,
    Word,
    Time,
    Quantity(Metric),
    Document,
}

/// A field of an item: the name of today, what it means, the older names, what it holds.
type Field = (&'static str, Cow<'static, str>, Vec<&'static str>, FieldType);

/// What stands before the metrics.
const FIRST: &[(&str, &str, &[&str], FieldType)] = &[
    ("deviceSn", "Serial, 1 to 64 bytes", &["device_sn", "id"], FieldType::Serial),
    ("timestamp", "When it was measured; missing: when it was received", &["cjsj"], FieldType::Time),
    ("customerId", "Tenant", &["customer_id"], FieldType::Id),
    ("orgId", "Organisation unit", &["org_id"], FieldType::Id),
    ("userId", "Wearer", &["user_id"], FieldType::Id),
];

/// What stands behind them.
const LAST: &[(&str, &str, &[&str], FieldType)] = &[
    ("upload_method", "Channel: wifi, bluetooth, common_event, 4g …", &["uploadMethod"], FieldType::Word),
    ("sleepData", "Sleep", &["smData", "sleep"], FieldType::Document),
    ("exerciseDailyData", "Exercise of the day", &["ydData"], FieldType::Document),
    (
        "exerciseWeekData",
        "Exercise of the week",
        &["exerciseDailyWeekData", "ydWeekData"],
        FieldType::Document,
    ),
    ("scientificSleepData", "Scientific sleep", &["kxsmData"], FieldType::Document),
    ("workoutData", "Workouts", &[], FieldType::Document),
];

fn fields() -> impl Iterator<Item = Field> {
    let fixed = |part: &'static [(&str, &str, &[&str], FieldType)]| {
        part.iter().map(|(name, meaning, older, holds)| (*name, (*meaning).into(), older.to_vec(), *holds))
    };
    fixed(FIRST).chain(Metric::ALL.into_iter().map(quantity)).chain(fixed(LAST))
}

fn quantity(metric: Metric) -> Field {
    let definition = metric.definition();
    let (title, unit) = (definition.capitalised_title(), definition.unit);
    let meaning = match metric.kind() {
        Kind::VitalSign => format!("{title}, {unit}"),
        Kind::DayTotal => format!("{title} of the local day so far, {unit}"),
        Kind::Position => format!("{title}, {unit}; 0/0 is no position"),
    };
    let mut names = metric.names();
    let name = names.next().unwrap_or(metric.column());
    (name, meaning.into(), names.collect(), FieldType::Quantity(metric))
}

impl FieldType {
    fn types(&self) -> SchemaType {
        match self {
            Self::Serial | Self::Word | Self::Id => {
                SchemaType::Array(vec![Type::String, Type::Integer, Type::Null])
            }
            Self::Time | Self::Quantity(_) => SchemaType::Array(vec![Type::String, Type::Number, Type::Null]),
            Self::Document => SchemaType::AnyValue,
        }
    }

    /// What is to be known beyond the meaning.
    fn rule(&self) -> Cow<'static, str> {
        match self {
            Self::Serial | Self::Word => "".into(),
            Self::Id => ": up to 19 digits, as text or as a number; 0 is unknown".into(),
            Self::Time => {
                ": yyyy-MM-dd HH:mm:ss in the zone of the devices, RFC 3339, or seconds or milliseconds \
                 since 1970"
                    .into()
            }
            Self::Quantity(metric) => {
                let range = metric.range();
                let zero = if range.contains(&0) { "" } else { "; 0 is not measured" };
                let definition = metric.definition();
                let loinc = definition.loinc.map(|code| format!(", LOINC {code}")).unwrap_or_default();
                format!(": {} to {}{zero} (UCUM {}{loinc})", range.start(), range.end(), definition.ucum)
                    .into()
            }
            Self::Document => ": JSON, or JSON as text; \"null\" is none".into(),
        }
    }
}

fn item() -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().description(Some(
        "A sample. Of several names of one meaning the first that holds a value counts; null, \"\" and \"null\" hold none. \
         An item without a serial, without a field that could hold a value, or with a value out of range, is kept as rejected. \
         Other fields are ignored, and listed in the answer.",
    ));
    for (name, meaning, older, holds) in fields() {
        let mut text = format!("{meaning}{}.", holds.rule());
        if !older.is_empty() {
            let names: Vec<String> = older.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&format!(" Also: {}.", names.join(", ")));
        }
        let field = ObjectBuilder::new().schema_type(holds.types()).description(Some(text));
        object = object.property(name, field);
    }
    object.into()
}

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

impl PartialSchema for HealthItem {
    fn schema() -> RefOr<Schema> {
        item()
    }
}

impl ToSchema for HealthItem {}

impl PartialSchema for HealthEnvelope {
    fn schema() -> RefOr<Schema> {
        let data = AnyOfBuilder::new()
            .item(reference::<HealthItem>())
            .item(ArrayBuilder::new().items(reference::<HealthItem>()))
            .item(reference::<HealthEnvelope>())
            .description(Some("An item, items, or the same once more in an envelope; also as JSON text."));
        let mut object = ObjectBuilder::new()
            .description(Some("What stands beside `data` (serial, ids) fills the items that lack it."))
            .property("data", data)
            .required("data");
        for (name, meaning, _, holds) in fields().filter(|(.., holds)| matches!(holds, FieldType::Id)) {
            let field = ObjectBuilder::new()
                .schema_type(holds.types())
                .description(Some(format!("{meaning} of the items that name none.")));
            object = object.property(name, field);
        }
        object.into()
    }
}

impl ToSchema for HealthEnvelope {
    fn schemas(schemas: &mut NamedSchemas) {
        schemas.push((HealthItem::name().into(), HealthItem::schema()));
    }
}

impl PartialSchema for HealthUpload {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .description(Some("Samples in an envelope, or bare. Not empty, and not null."))
            .item(reference::<HealthEnvelope>())
            .item(reference::<HealthItem>())
            .item(ArrayBuilder::new().items(reference::<HealthItem>()))
            .into()
    }
}

impl ToSchema for HealthUpload {
    fn schemas(schemas: &mut NamedSchemas) {
        schemas.push((HealthEnvelope::name().into(), HealthEnvelope::schema()));
        HealthEnvelope::schemas(schemas);
    }
}

impl PartialSchema for HealthBatch {
    fn schema() -> RefOr<Schema> {
        let records = ArrayBuilder::new().items(reference::<HealthItem>()).description(Some(
            "Records: samples, but a serial has at least 5 characters, and a positive time is there.",
        ));
        let name = ObjectBuilder::new()
            .schema_type(FieldType::Word.types())
            .description(Some("The sender's own name of the batch, told back. Also: `batch_id`."));
        ObjectBuilder::new()
            .description(Some("Records of a gateway."))
            .property("data", records)
            .required("data")
            .property("batchId", name)
            .into()
    }
}

impl ToSchema for HealthBatch {
    fn schemas(schemas: &mut NamedSchemas) {
        schemas.push((HealthItem::name().into(), HealthItem::schema()));
    }
}
