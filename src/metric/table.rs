//! The table of metrics. A new metric is appended, because the order of the table is the order of columns in tables and views.

use rust_decimal::Decimal;

use super::define::{ColumnType, metrics, rank};
use super::{Definition, Kind, Value};

metrics! {
    HeartRate, heart_rate: i16, "heart rate" in "beats per minute" {
        kind: VitalSign,
        symbol: "bpm", ucum: "/min", loinc: Some("8867-4"),
        range: 1..=300,
        decimals: 1,
        names: [b"heart_rate", b"heartRate", b"xlv"],
        redis_field: "heartRate",
        since: 1,
    }
    BloodOxygen, blood_oxygen: i16, "SpO2" in "percent" {
        kind: VitalSign,
        symbol: "%", ucum: "%", loinc: Some("59408-5"),
        range: 1..=100,
        decimals: 1,
        names: [b"blood_oxygen", b"bloodOxygen", b"xy"],
        redis_field: "bloodOxygen",
        since: 1,
    }
    // Down to what an unworn sensor shows in a cold room.
    Temperature, temperature: Decimal, "body temperature" in "degrees Celsius" {
        kind: VitalSign,
        symbol: "°C", ucum: "Cel", loinc: Some("8310-5"),
        range: 10..=50,
        decimals: 2,
        names: [b"body_temperature", b"temperature", b"tw"],
        redis_field: "temperature",
        since: 1,
    }
    PressureHigh, pressure_high: i16, "systolic pressure (derived by the watch)" in "mmHg" {
        kind: VitalSign,
        symbol: "mmHg", ucum: "mm[Hg]", loinc: Some("8480-6"),
        range: 1..=350,
        decimals: 1,
        names: [b"blood_pressure_systolic", b"pressureHigh", b"pressure_high", b"gxy"],
        redis_field: "pressureHigh",
        since: 1,
    }
    PressureLow, pressure_low: i16, "diastolic pressure (derived by the watch)" in "mmHg" {
        kind: VitalSign,
        symbol: "mmHg", ucum: "mm[Hg]", loinc: Some("8462-4"),
        range: 1..=250,
        decimals: 1,
        names: [b"blood_pressure_diastolic", b"pressureLow", b"pressure_low", b"dxy"],
        redis_field: "pressureLow",
        since: 1,
    }
    Stress, stress: i16, "stress" in "score 1 to 100" {
        kind: VitalSign,
        symbol: "score", ucum: "{score}", loinc: None,
        range: 1..=100,
        decimals: 1,
        names: [b"stress", b"yl"],
        redis_field: "stress",
        since: 1,
    }
    Step, step: i32, "steps" in "count" {
        kind: DayTotal,
        symbol: "steps", ucum: "{steps}", loinc: Some("55423-8"),
        range: 0..=300_000,
        decimals: 0,
        names: [b"step", b"bs"],
        redis_field: "step",
        since: 1,
    }
    Distance, distance: Decimal, "distance" in "metres" {
        kind: DayTotal,
        symbol: "m", ucum: "m", loinc: Some("55430-3"),
        range: 0..=1_000_000,
        decimals: 1,
        names: [b"distance", b"jl"],
        redis_field: "distance",
        since: 1,
    }
    Calorie, calorie: Decimal, "energy" in "small calories" {
        kind: DayTotal,
        symbol: "cal", ucum: "cal", loinc: Some("55424-6"),
        range: 0..=100_000_000,
        decimals: 1,
        names: [b"calorie", b"rl"],
        redis_field: "calorie",
        since: 1,
    }
    Latitude, latitude: f64, "latitude" in "degrees north, WGS 84" {
        kind: Position,
        symbol: "°", ucum: "deg", loinc: None,
        range: -90..=90,
        decimals: 6,
        names: [b"latitude", b"wd"],
        redis_field: "latitude",
        since: 1,
    }
    Longitude, longitude: f64, "longitude" in "degrees east, WGS 84" {
        kind: Position,
        symbol: "°", ucum: "deg", loinc: None,
        range: -180..=180,
        decimals: 6,
        names: [b"longitude", b"jd"],
        redis_field: "longitude",
        since: 1,
    }
    Altitude, altitude: f64, "altitude" in "metres" {
        kind: Position,
        symbol: "m", ucum: "m", loinc: None,
        range: -1_000..=20_000,
        decimals: 1,
        names: [b"altitude", b"hb"],
        redis_field: "altitude",
        since: 1,
    }
    RespiratoryRate, respiratory_rate: Decimal, "respiratory rate" in "breaths per minute" {
        kind: VitalSign,
        symbol: "breaths/min", ucum: "/min", loinc: Some("9279-1"),
        range: 1..=120,
        decimals: 1,
        names: [
            b"respiratory_rate", b"respiratoryRate", b"respiration_rate", b"respirationRate", b"breath_rate", b"breathRate"
        ],
        redis_field: "respiratoryRate",
        since: 41,
    }
    // RMSSD. The LOINC code of heart rate variability, 80404-7, is SDNN, which is another quantity.
    HeartRateVariability, heart_rate_variability: Decimal, "heart rate variability (RMSSD)" in "milliseconds" {
        kind: VitalSign,
        symbol: "ms", ucum: "ms", loinc: None,
        range: 1..=1000,
        decimals: 1,
        names: [b"heart_rate_variability", b"heartRateVariability", b"hrv_rmssd", b"hrvRmssd", b"rmssd", b"hrv"],
        redis_field: "heartRateVariability",
        since: 41,
    }
    BloodGlucose, blood_glucose: Decimal, "blood glucose" in "mmol/L" {
        kind: VitalSign,
        symbol: "mmol/L", ucum: "mmol/L", loinc: Some("15074-8"),
        range: 1..=60,
        decimals: 1,
        names: [b"blood_glucose", b"bloodGlucose", b"blood_sugar", b"bloodSugar", b"glucose"],
        redis_field: "bloodGlucose",
        since: 41,
    }
    // The temperature itself, not its distance from a baseline. Down to what a sensor beside the skin shows in winter.
    SkinTemperature, skin_temperature: Decimal, "skin temperature" in "degrees Celsius" {
        kind: VitalSign,
        symbol: "°C", ucum: "Cel", loinc: None,
        range: 1..=60,
        decimals: 2,
        names: [b"skin_temperature", b"skinTemperature", b"skin_temp", b"skinTemp"],
        redis_field: "skinTemperature",
        since: 41,
    }
}
