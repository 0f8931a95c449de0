//! What may be sent: bytes, damaged bodies of the fleet, and JSON that nearly is one; packed rightly or wrongly.

use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The routes, and bodies as the fleet sends them to each.
const ROUTES: &[(&str, &[&str])] = &[
    (
        "/upload_health_data",
        &[
            include_str!("../../fixtures/watch_single.json"),
            include_str!("../../fixtures/watch_array.json"),
            include_str!("../../fixtures/phone_envelope.json"),
            include_str!("../../fixtures/older_phone_path.json"),
            include_str!("../../fixtures/pinyin.json"),
        ],
    ),
    ("/upload_health_data_batch", &[include_str!("../../fixtures/batch.json")]),
    (
        "/upload_device_info",
        &[
            include_str!("../../fixtures/watch_device_info.json"),
            include_str!("../../fixtures/phone_device_info.json"),
        ],
    ),
    (
        "/upload_common_event",
        &[include_str!("../../fixtures/watch_event.json"), include_str!("../../fixtures/phone_event.json")],
    ),
];

/// Names that mean something, in every generation, and some that do not.
const NAMES: &[&str] = &[
    "deviceSn",
    "device_sn",
    "id",
    "customerId",
    "customer_id",
    "orgId",
    "org_id",
    "userId",
    "user_id",
    "heart_rate",
    "heartRate",
    "xlv",
    "blood_oxygen",
    "xy",
    "body_temperature",
    "tw",
    "pressureHigh",
    "gxy",
    "pressure_low",
    "dxy",
    "stress",
    "yl",
    "step",
    "bs",
    "distance",
    "jl",
    "calorie",
    "rl",
    "latitude",
    "wd",
    "longitude",
    "jd",
    "altitude",
    "hb",
    "timestamp",
    "cjsj",
    "upload_method",
    "uploadMethod",
    "sleepData",
    "smData",
    "exerciseDailyData",
    "ydWeekData",
    "kxsmData",
    "workoutData",
    "SerialNumber",
    "System Software Version",
    "wifi_address",
    "IP Address",
    "Network Access Mode",
    "batteryLevel",
    "voltage",
    "chargingStatus",
    "wearState",
    "status",
    "eventType",
    "action",
    "eventValue",
    "value",
    "healthData",
    "heatlhData",
    "data",
    "batchId",
    "type",
    "名",
    "a\\u0000b",
    "\\ud800",
    "",
];

/// Values at the edges of what is read.
const VALUES: &[&str] = &[
    "null",
    "\"null\"",
    "\"\"",
    "\" \"",
    "0",
    "\"0\"",
    "-0",
    "1",
    "72",
    "\"72\"",
    "72.5",
    "300",
    "301",
    "-1",
    "1e2",
    "1e400",
    "-1e-400",
    "99999999999999999999999999999999999999",
    "0.1234567890123456789012345678901234567890",
    "\"36.6\"",
    "\"36,6\"",
    "true",
    "false",
    "[]",
    "{}",
    "[1]",
    "{\"a\":1}",
    "\"WATCH-1\"",
    "\"x\"",
    "1234567",
    "\"1939964806110937090\"",
    "9223372036854775808",
    "\"2026-01-02 03:04:05\"",
    "\"2026-02-30 00:00:00\"",
    "\"1999-01-02 03:04:05\"",
    "\"2999-01-02 03:04:05\"",
    "1767294245",
    "1767294245000",
    "\"-1\"",
    "\"2026-01-02T03:04:05Z\"",
    "9999999999999999",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"设备\"",
    "\"{\\\"code\\\":0,\\\"data\\\":[]}\"",
    "\"{\\\"code\\\":\\\"0\\\"\\\"data\\\":[]}\"",
    "\"{\\\"code\\\":-1}\"",
    "\"[{\\\"deviceSn\\\":\\\"QUOTED-1\\\",\\\"xlv\\\":\\\"70\\\"}]\"",
    "\"4g\"",
    "\"85%\"",
    "\"a.b.SOS_EVENT\"",
    "\"a.b.\"",
    "\"10.0.0.1\\n::1\"",
    "{\"heart_rate\":128}",
    "{\"data\":[{\"xlv\":1},{\"xlv\":999}]}",
    "\"{\\\"data\\\":{\\\"heart_rate\\\":999}}\"",
    "\"\u{7f}\u{9b}\"",
];

/// A request.
#[derive(Clone)]
pub struct Sent {
    pub path: &'static str,
    pub bytes: Vec<u8>,
    pub packing: Option<&'static str>,
    unpacked: Vec<u8>,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {:?}", self.path, self.packing, String::from_utf8_lossy(&self.unpacked))
    }
}

impl Sent {
    /// The body before it was packed.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.unpacked)
    }

    /// May hold items as JSON inside a string, whose text is not that of the body.
    pub fn is_quoted(&self) -> bool {
        self.text().contains("\\\"")
    }
}

/// Anything at all.
pub fn bytes() -> impl Strategy<Value = Sent> {
    let jsonish = "[\\[\\]{}:,\"\\\\0-9a-z \n\u{feff}设-]{0,200}".prop_map(String::into_bytes);
    let bytes = prop_oneof![vec(any::<u8>(), 0..2_000), jsonish, Just(Vec::new()), deep()];
    sent(route(), bytes)
}

/// Brackets beyond any sensible depth.
fn deep() -> impl Strategy<Value = Vec<u8>> {
    let opening = select(&["[", "{\"data\":", "{\"data\":[", "{\"sleepData\":[", "\"{"][..]);
    (opening, 1..3_000_usize).prop_map(|(opening, times)| opening.repeat(times).into_bytes())
}

/// Bodies of the fleet with bytes changed, cut out, doubled.
pub fn damaged() -> impl Strategy<Value = Sent> {
    let original = route().prop_flat_map(|route| {
        let bodies = ROUTES[route].1;
        (Just(route), select(bodies))
    });
    (original, vec((any::<Index>(), any::<Index>(), 0..5_u8, any::<u8>()), 0..6)).prop_flat_map(
        |((route, original), wounds)| {
            let mut body = original.trim().as_bytes().to_vec();
            for (at, to, kind, byte) in wounds {
                wound(&mut body, &at, &to, kind, byte);
            }
            sent(Just(route), Just(body))
        },
    )
}

fn wound(body: &mut Vec<u8>, at: &Index, to: &Index, kind: u8, byte: u8) {
    if body.is_empty() {
        return;
    }
    let (at, to) = (at.index(body.len()), to.index(body.len()));
    let (from, to) = (at.min(to), at.max(to));
    match kind {
        0 => body[from] = byte,
        1 => body.insert(from, byte),
        2 => drop(body.drain(from..to.min(from + 40))),
        3 => body.truncate(from),
        _ => {
            let piece = body[from..to.min(from + 200)].to_vec();
            body.splice(to..to, piece);
        }
    }
}

/// JSON that nearly is an upload: known names with any value, wrapped in any way.
pub fn structured() -> impl Strategy<Value = Sent> {
    let value =
        prop_oneof![8 => select(VALUES).prop_map(str::to_owned), 1 => "\"[ -~]{0,12}\"", 1 => number()];
    let field = (select(NAMES), value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    // Mostly with a serial, so that the rest is looked at.
    let named = prop_oneof![
        3 => Just("\"deviceSn\":\"FUZZ-1\""),
        2 => Just("\"deviceSn\":\"FUZZ-2\",\"eventType\":\"SOS_EVENT\""),
        1 => Just("\"x\":0")
    ];
    let item = (named, vec(field, 0..8))
        .prop_map(|(named, fields)| format!("{{{}}}", [vec![named.to_owned()], fields].concat().join(",")));
    let body = item.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            inner.clone().prop_map(|inner| format!("{{\"data\":{inner}}}")),
            inner.clone().prop_map(|inner| format!(
                "{{\"customerId\":\"7\",\"deviceSn\":\"OUTER\",\"data\":{inner}}}"
            )),
            inner
                .clone()
                .prop_map(|inner| format!("{{\"xlv\":70,\"id\":\"BOTH\",\"data\":{inner},\"orgId\":\"x\"}}")),
            inner.clone().prop_map(|inner| format!("{{\"data\":{}}}", serde_json::Value::String(inner))),
            vec(inner, 0..4).prop_map(|items| format!("{{\"data\":[{}],\"batchId\":7}}", items.join(" ,\n"))),
        ]
    });
    sent(route(), body.prop_map(String::into_bytes))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        (-400..400_i32, -99..99_i32).prop_map(|(digits, exponent)| format!("{digits}e{exponent}")),
    ]
}

fn route() -> impl Strategy<Value = usize> {
    0..ROUTES.len()
}

/// Packed as told, or told something else.
fn sent(
    route: impl Strategy<Value = usize>,
    bytes: impl Strategy<Value = Vec<u8>>,
) -> impl Strategy<Value = Sent> {
    let packing = prop_oneof![
        12 => Just((None, None)),
        2 => Just((Some("gzip"), Some("gzip"))),
        2 => Just((Some("zstd"), Some("zstd"))),
        1 => select(&[(None, Some("gzip")), (Some("gzip"), Some("zstd")), (None, Some("br")), (None, Some("identity"))][..]),
    ];
    (route, bytes, packing).prop_map(|(route, unpacked, (packed, told))| {
        let bytes = match packed {
            Some("gzip") => crate::uploads::gzip(&unpacked),
            Some(_) => zstd::encode_all(unpacked.as_slice(), 1).expect("packed"),
            None => unpacked.clone(),
        };
        Sent { path: ROUTES[route].0, bytes, packing: told, unpacked }
    })
}
