//! Addresses of pages.
//!
//! Before: numbers and serials of the model. After: the attribute `href` or `action`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::Id64;

/// What may stand in a part of an address as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The page of an alert.
pub fn alert(alert_id: Id64) -> String {
    format!("/alerts/{alert_id}")
}

/// What a person does about an alert: `acknowledge`, `note` and so on.
pub fn alert_step(alert_id: Id64, step: &str) -> String {
    format!("/alerts/{alert_id}/{step}")
}

/// The page of a person.
pub fn person(user_id: Id64) -> String {
    format!("/people/{user_id}")
}

/// The page of a device.
pub fn device(device_sn: &str) -> String {
    format!("/devices/{}", encoded(device_sn))
}

/// An address with parameters in place of those that it has of the same names; `None` takes a parameter away.
pub fn with(path: &str, changes: &[(&str, Option<&str>)]) -> String {
    let (route, query) = path.split_once('?').unwrap_or((path, ""));
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && changes.iter().all(|(changed, _)| *changed != name)
    };
    let added = changes.iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded((*value)?))));
    let pairs: Vec<String> = query.split('&').filter(is_kept).map(str::to_owned).chain(added).collect();
    if pairs.is_empty() { route.to_owned() } else { format!("{route}?{}", pairs.join("&")) }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_stays_one_part_of_the_address() {
        assert_eq!(device("C+1/../x?y=手表"), "/devices/C%2B1%2F..%2Fx%3Fy%3D%E6%89%8B%E8%A1%A8");
        assert_eq!(device("CRFTQ23409001890"), "/devices/CRFTQ23409001890");
    }

    #[test]
    fn a_parameter_is_replaced_and_the_others_stay() {
        let path = "/alerts?status=firing&status=resolved&cursor=1.2";
        assert_eq!(
            with(path, &[("cursor", Some("3.4"))]),
            "/alerts?status=firing&status=resolved&cursor=3.4"
        );
        assert_eq!(with(path, &[("cursor", None), ("status", None)]), "/alerts");
        assert_eq!(with("/people/5", &[("range", Some("week"))]), "/people/5?range=week");
    }
}
