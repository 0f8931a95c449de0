//! The newest sample of a device.
//!
//! Before: `store::dashboard::latest` reads view `dashboard.latest`. After: `…/latest`, pages.

use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Id64;
use super::decimal::Exact;
use crate::metric::{Measurements, Metric, Value};

/// Newest values of a device
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Latest {
    /// Serial number of the device
    pub device_sn: String,
    /// Event time of the sample
    #[schema(value_type = String, format = DateTime)]
    pub ts: Timestamp,
    /// Wearer at that time; null: nobody
    pub user_id: Option<Id64>,
    /// Name of the wearer
    pub user_name: Option<String>,
    /// Organisation unit of the wearer
    pub org_id: Option<Id64>,
    /// Its name
    pub org_name: Option<String>,
    /// Tenant
    pub customer_id: Option<Id64>,
    /// What the sample measured; null: not measured
    #[serde(flatten)]
    pub values: MeasuredValues,
}

/// The values of a sample: a field for each metric, as its column is called
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MeasuredValues(pub Measurements);

impl MeasuredValues {
    /// The metrics that the view of newest samples has.
    pub fn metrics() -> impl Iterator<Item = Metric> {
        Metric::ALL.into_iter().filter(|metric| !matches!(metric, Metric::Altitude))
    }

    /// The value of a metric; `None`: not measured.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<Value> {
        self.0.values()[metric as usize]
    }
}

impl Serialize for MeasuredValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        for metric in Self::metrics() {
            let name = metric.column();
            match self.get(metric) {
                None => fields.serialize_entry(name, &())?,
                Some(Value::Smallint(value)) => fields.serialize_entry(name, &value)?,
                Some(Value::Integer(value)) => fields.serialize_entry(name, &value)?,
                Some(Value::Numeric(value)) => fields.serialize_entry(name, &Exact(value))?,
                Some(Value::DoublePrecision(value)) => fields.serialize_entry(name, &value)?,
            }
        }
        fields.end()
    }
}

impl PartialSchema for MeasuredValues {
    fn schema() -> RefOr<Schema> {
        let mut fields = ObjectBuilder::new();
        for metric in Self::metrics() {
            let definition = metric.definition();
            let about =
                format!("{}, {}; null: not measured", definition.capitalised_title(), definition.unit);
            let value = ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::Number, Type::Null]))
                .description(Some(about));
            fields = fields.property(metric.column(), value).required(metric.column());
        }
        fields.into()
    }
}

impl ToSchema for MeasuredValues {}
