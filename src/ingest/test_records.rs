//! Records for the unit tests of `ingest`.

use jiff::Timestamp;

use crate::metric::Measurements;
use crate::model::{Item, Owner, Reading, Refusal, Reject, RejectReason, Source};

/// A reading of `device_sn` at an epoch second, received at another.
pub(super) fn item(device_sn: &str, second: i64, received_second: i64) -> Item {
    let at = |second| Timestamp::from_second(second).expect("in range");
    let reading = Reading {
        device_sn: device_sn.to_owned(),
        ts: at(second),
        owner: Owner::default(),
        measured: Measurements { heart_rate: Some(70), ..Measurements::default() },
        upload_method: None,
        documents: Vec::new(),
    };
    Item {
        index: 0,
        reading,
        text: bytes::Bytes::new(),
        inherited: None,
        source: Source::Health,
        received_at: at(received_second),
        key_customer_id: None,
    }
}

/// A reject of the record with this index.
pub(super) fn reject(index: usize) -> Reject {
    Reject {
        refusal: Refusal {
            index: u32::try_from(index).expect("small"),
            reason: RejectReason::BadTime,
            detail: String::new(),
        },
        device_sn: None,
        text: bytes::Bytes::new(),
        inherited: None,
        source: Source::Health,
        received_at: Timestamp::UNIX_EPOCH,
        key_customer_id: None,
    }
}
