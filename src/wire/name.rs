//! The names of the fields of a sample in three generations of firmware. The names of metrics are in `metric`, the others here.
//!
//! Before: `fields` reads a name. After: it stores the value under the field, by the rank of the name.
//! Promise: of two names of one field, the one with the lower rank wins.

use crate::metric::Metric;
use crate::model::DocumentKind;

/// A name that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct SampleName {
    /// The field it names.
    pub(super) field: SampleField,
    /// Its rank among the names of that field, from 0; the lower wins.
    pub(super) rank: u8,
}

/// A field of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleField {
    DeviceSn,
    CustomerId,
    OrgId,
    UserId,
    Timestamp,
    UploadMethod,
    Data,
    BatchId,
    /// Known and not used: it is no mistake of the sender.
    Unused,
    Quantity(Metric),
    Document(DocumentKind),
}

/// Rank of `id` among the names of the serial. It is the last one, because `id` may also be the id of something else.
pub(super) const RANK_OF_ID: u8 = 2;

impl SampleName {
    /// The field that `name` names; `None`: the name is not known.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let (field, rank) = if let Some((metric, rank)) = Metric::named(name) {
            (SampleField::Quantity(metric), rank)
        } else if let Some((kind, rank)) = document(name) {
            (SampleField::Document(kind), rank)
        } else {
            other(name)?
        };
        Some(Self { field, rank })
    }
}

/// The names of the serial and of the time, in the order of their ranks.
pub(super) const DEVICE_SN: [&str; 3] = ["deviceSn", "device_sn", "id"];
pub(super) const TIMESTAMP: [&str; 2] = ["timestamp", "cjsj"];

/// The names of tenant, organisation unit and wearer, in the order of their ranks.
pub(super) const IDS: [[&str; 2]; 3] =
    [["customerId", "customer_id"], ["orgId", "org_id"], ["userId", "user_id"]];

// The number is the rank of a name among the names of its field.

fn document(name: &[u8]) -> Option<(DocumentKind, u8)> {
    use DocumentKind::{ExerciseDaily, ExerciseWeek, ScientificSleep, Sleep, Workout};
    Some(match name {
        b"sleepData" => (Sleep, 0),
        b"smData" => (Sleep, 1),
        b"sleep" => (Sleep, 2),
        b"exerciseDailyData" => (ExerciseDaily, 0),
        b"ydData" => (ExerciseDaily, 1),
        b"exerciseWeekData" => (ExerciseWeek, 0),
        b"exerciseDailyWeekData" => (ExerciseWeek, 1),
        b"ydWeekData" => (ExerciseWeek, 2),
        b"scientificSleepData" => (ScientificSleep, 0),
        b"kxsmData" => (ScientificSleep, 1),
        b"workoutData" => (Workout, 0),
        _ => return None,
    })
}

fn other(name: &[u8]) -> Option<(SampleField, u8)> {
    use SampleField::{BatchId, CustomerId, Data, DeviceSn, OrgId, Timestamp, Unused, UploadMethod, UserId};
    Some(match name {
        b"deviceSn" => (DeviceSn, 0),
        b"device_sn" => (DeviceSn, 1),
        b"id" => (DeviceSn, RANK_OF_ID),
        b"customerId" => (CustomerId, 0),
        b"customer_id" => (CustomerId, 1),
        b"orgId" => (OrgId, 0),
        b"org_id" => (OrgId, 1),
        b"userId" => (UserId, 0),
        b"user_id" => (UserId, 1),
        b"timestamp" => (Timestamp, 0),
        b"cjsj" => (Timestamp, 1),
        b"upload_method" => (UploadMethod, 0),
        b"uploadMethod" => (UploadMethod, 1),
        b"data" => (Data, 0),
        b"batchId" => (BatchId, 0),
        b"batch_id" => (BatchId, 1),
        // Of the envelope of the phone app, and of an export of `health_data`.
        b"type" | b"received_at" => (Unused, 0),
        _ => return None,
    })
}
