//! What a person's body and day look like to a watch: every value as a pure function of person and instant.
//!
//! Before: `fleet` makes the people. After: `body` writes their samples as a watch would.
//! Promise: the same person and instant give the same sample; every value lies in the range of the wire contract or is
//! the watch's "not measured"; step, distance and calorie never fall within a local day and restart at its midnight.

use std::sync::LazyLock;

/// The fleet lives in Asia/Shanghai: eight hours east, no summer time.
pub(super) const ZONE_OFFSET_SECONDS: i64 = 8 * 3600;
pub(super) const DAY_SECONDS: i64 = 86_400;

const SLOT_SECONDS: u32 = 300;
const SLOTS: usize = 288;
const PLANS: usize = 8;
/// The whole of a day's activity, as a share.
const WHOLE: u64 = 1 << 16;

/// A heart races for this long at a time.
const RACING_SECONDS: i64 = 10;
/// Nobody's heart beats faster than this by effort, nor below 50 in sleep: what alerts is what was asked for.
const FASTEST_BY_EFFORT: u32 = 116;

/// Days as people spend them; which one is drawn anew for each person and day.
static PLANS_OF_A_DAY: LazyLock<Vec<DayPlan>> =
    LazyLock::new(|| (0..PLANS as u64).map(DayPlan::new).collect());

/// One wearer.
#[derive(Debug, Clone)]
pub(super) struct Person {
    seed: u64,
    resting_bpm: u32,
    usual_steps: u64,
    home_latitude_e6: i32,
    home_longitude_e6: i32,
    unworn_from_slot: usize,
    /// Share of its time in which the heart races, millionths.
    racing_ppm: u64,
}

/// What a watch shows at an instant. 0 is the watch's "not measured", `None` a field it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) heart_rate: u32,
    pub(super) blood_oxygen: u32,
    pub(super) temperature_tenths: u32,
    pub(super) pressure_high: u32,
    pub(super) pressure_low: u32,
    pub(super) stress: Option<u32>,
    pub(super) step: u32,
    pub(super) distance_tenths: u32,
    pub(super) calorie_tenths: u32,
    /// Degrees in millionths, and metres in tenths; `None` without a fix.
    pub(super) position: Option<Position>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) latitude_e6: i32,
    pub(super) longitude_e6: i32,
    pub(super) altitude_tenths: Option<u32>,
}

/// One night's sleep, epoch milliseconds: deep until `deep_until_ms`, then light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Night {
    pub(super) from_ms: i64,
    pub(super) deep_until_ms: i64,
    pub(super) until_ms: i64,
}

struct DayPlan {
    /// Share of the day's activity done when slot i begins.
    done: [u64; SLOTS + 1],
    /// How hard slot i is: 0 asleep, 1 to 3 sitting about, up to 30 running.
    effort: [u32; SLOTS],
    wake_slot: usize,
}

impl DayPlan {
    fn new(number: u64) -> Self {
        let dice = mix(number, 0xDA7);
        let wake_slot = 72 + (dice % 24) as usize;
        let bed_slot = 264 + (dice >> 8) as usize % 18;
        let runs = number % 2 == 1;
        let mut effort = [0; SLOTS];
        for (slot, effort) in effort.iter_mut().enumerate().take(bed_slot).skip(wake_slot) {
            let since_waking = slot - wake_slot;
            *effort = match slot {
                _ if (9..15).contains(&since_waking) => 12, // to work
                144..150 => 8,                              // lunch
                216..222 => 12,                             // home again
                228..240 if runs => 30,
                _ => 1 + (mix(number, slot as u64) % 3) as u32,
            };
        }
        let total: u64 = effort.iter().map(|&effort| u64::from(effort)).sum();
        let mut done = [0; SLOTS + 1];
        let mut sum = 0;
        for (slot, &effort) in effort.iter().enumerate() {
            sum += u64::from(effort);
            done[slot + 1] = sum * WHOLE / total;
        }
        Self { done, effort, wake_slot }
    }

    /// Share of the day's activity done by this second of the day.
    fn share_done(&self, second: u32) -> u64 {
        let slot = (second / SLOT_SECONDS) as usize;
        let into = u64::from(second % SLOT_SECONDS);
        let (from, until) = (self.done[slot], self.done[slot + 1]);
        from + (until - from) * into / u64::from(SLOT_SECONDS)
    }
}

impl Person {
    pub(super) fn new(seed: u64) -> Self {
        let dice = mix(seed, 1);
        Self {
            seed,
            resting_bpm: 62 + (dice % 20) as u32,
            usual_steps: 4_000 + (dice >> 8) % 10_000,
            home_latitude_e6: 22_500_000 + ((dice >> 24) % 200_000) as i32,
            home_longitude_e6: 113_900_000 + ((dice >> 44) % 300_000) as i32,
            unworn_from_slot: 240 + (dice >> 16) as usize % 12,
            racing_ppm: 0,
        }
    }

    /// The same person, who lives within some hundred metres of a place: people of one unit live near each other.
    pub(super) fn living_at(self, place: u32) -> Self {
        let (dice, stray) = (mix(0x517E, u64::from(place)), mix(self.seed, 0x40E));
        Self {
            home_latitude_e6: 22_504_000 + (dice % 192_000) as i32 + (stray % 6_000) as i32 - 3_000,
            home_longitude_e6: 113_904_000 + ((dice >> 20) % 292_000) as i32 + ((stray >> 20) % 6_000) as i32
                - 3_000,
            ..self
        }
    }

    /// The same person, whose heart races for this share of the time, percent.
    pub(super) fn racing(self, percent: f64) -> Self {
        Self { racing_ppm: (percent * 10_000.0) as u64, ..self }
    }

    /// What the watch shows at `at` (epoch seconds).
    pub(super) fn sample(&self, at: i64) -> Sample {
        let mut sample = self.usual_sample(at);
        let period = at.div_euclid(RACING_SECONDS) as u64;
        if sample.heart_rate > 0 && mix(self.seed ^ 0xB4EA, period) % 1_000_000 < self.racing_ppm {
            sample.heart_rate = 142 + (mix(self.seed, period) % 20) as u32;
        }
        sample
    }

    fn usual_sample(&self, at: i64) -> Sample {
        let (day, second) = local_day(at);
        let plan = self.plan(day);
        let slot = (second / SLOT_SECONDS) as usize;
        let dice = mix(self.seed, at as u64);
        let step = (self.steps_of(day) * plan.share_done(second) / WHOLE) as u32;
        let mut sample = Sample {
            heart_rate: 0,
            blood_oxygen: 0,
            temperature_tenths: 0,
            pressure_high: 0,
            pressure_low: 0,
            stress: Some(0),
            step,
            distance_tenths: step * 7,
            calorie_tenths: step * 397,
            position: self.position(dice),
        };
        let charging = (self.unworn_from_slot..self.unworn_from_slot + 6).contains(&slot);
        if !charging {
            self.fill_vitals(&mut sample, plan.effort[slot], dice);
        }
        sample
    }

    fn fill_vitals(&self, sample: &mut Sample, effort: u32, dice: u64) {
        let flutter = (dice & 7) as u32;
        let asleep = effort == 0;
        let by_effort = if asleep { self.resting_bpm - 6 } else { self.resting_bpm + 6 + effort * 3 };
        sample.heart_rate = by_effort.min(FASTEST_BY_EFFORT) - 4 + flutter;
        sample.temperature_tenths = if asleep { 361 } else { 363 } + (dice >> 3) as u32 % 7;
        // The watch derives pressure from heart rate; so does this.
        sample.pressure_high = 90 + sample.heart_rate * 2 / 5;
        sample.pressure_low = 56 + sample.heart_rate / 4;
        sample.blood_oxygen = if (dice >> 8).is_multiple_of(16) { 0 } else { 94 + ((dice >> 12) % 7) as u32 };
        sample.stress = match (dice >> 16) % 32 {
            0 => None,
            1 => Some(0),
            _ => Some(10 + (dice >> 24) as u32 % 30 + effort),
        };
    }

    fn position(&self, dice: u64) -> Option<Position> {
        if (dice >> 32).is_multiple_of(4) {
            return None; // indoors
        }
        let stray = |bits: u64| (bits % 4_000) as i32 - 2_000;
        Some(Position {
            latitude_e6: self.home_latitude_e6 + stray(dice >> 34),
            longitude_e6: self.home_longitude_e6 + stray(dice >> 40),
            altitude_tenths: (!(dice >> 46).is_multiple_of(8)).then_some(50 + ((dice >> 50) % 900) as u32),
        })
    }

    /// The night that ended on the local day of `at`.
    pub(super) fn night(&self, at: i64) -> Night {
        let (day, _) = local_day(at);
        let midnight = day * DAY_SECONDS - ZONE_OFFSET_SECONDS;
        let from = midnight - 1_800 + (mix(self.seed, day as u64 ^ 0x51EE) % 3_600) as i64;
        let until = midnight + self.plan(day).wake_slot as i64 * i64::from(SLOT_SECONDS);
        Night {
            from_ms: from * 1000,
            deep_until_ms: (from + (until - from) / 3) * 1000,
            until_ms: until * 1000,
        }
    }

    fn plan(&self, day: i64) -> &'static DayPlan {
        &PLANS_OF_A_DAY[(mix(self.seed, day as u64) % PLANS as u64) as usize]
    }

    fn steps_of(&self, day: i64) -> u64 {
        self.usual_steps * (70 + mix(self.seed, day as u64) / 16 % 60) / 100
    }
}

/// The local day (days since 1970-01-01) and the second in it.
pub(super) fn local_day(at: i64) -> (i64, u32) {
    let local = at + ZONE_OFFSET_SECONDS;
    (local.div_euclid(DAY_SECONDS), local.rem_euclid(DAY_SECONDS) as u32)
}

/// Sixty-four well mixed bits of two numbers (the finaliser of splitmix64).
pub(super) fn mix(seed: u64, value: u64) -> u64 {
    let mut bits = seed ^ value.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    proptest! {
        #[test]
        fn every_value_is_one_a_body_can_show(seed: u64, at in 1_400_000_000_i64..2_200_000_000) {
            let sample = Person::new(seed).sample(at);
            prop_assert!(sample.heart_rate == 0 || (50..=120).contains(&sample.heart_rate), "{}", sample.heart_rate);
            prop_assert!(sample.blood_oxygen == 0 || (94..=100).contains(&sample.blood_oxygen));
            prop_assert!(sample.pressure_high == 0 || (1..=350).contains(&sample.pressure_high));
            prop_assert!(sample.pressure_low == 0 || (1..=250).contains(&sample.pressure_low));
            prop_assert!(sample.stress.unwrap_or(0) <= 100);
            prop_assert!(sample.temperature_tenths == 0 || (360..370).contains(&sample.temperature_tenths));
            prop_assert!(sample.step <= 300_000);
            prop_assert!(sample.distance_tenths <= 10_000_000);
            prop_assert!(sample.calorie_tenths <= 1_000_000_000);
            if let Some(position) = sample.position {
                prop_assert!((22_000_000..23_000_000).contains(&position.latitude_e6));
                prop_assert!((113_000_000..115_000_000).contains(&position.longitude_e6));
            }
        }

        #[test]
        fn running_totals_rise_through_a_local_day(seed: u64, at in 1_400_000_000_i64..2_200_000_000, later in 0_i64..86_400) {
            let person = Person::new(seed);
            let (first, second) = (person.sample(at), person.sample(at + later));
            if local_day(at).0 == local_day(at + later).0 {
                prop_assert!(first.step <= second.step);
                prop_assert!(first.distance_tenths <= second.distance_tenths);
                prop_assert!(first.calorie_tenths <= second.calorie_tenths);
            }
        }

        #[test]
        fn running_totals_restart_at_local_midnight(seed: u64, day in 16_000_i64..25_000) {
            let person = Person::new(seed);
            let midnight = day * DAY_SECONDS - ZONE_OFFSET_SECONDS;
            prop_assert!(person.sample(midnight - 1).step > 2_000);
            let start = person.sample(midnight);
            prop_assert_eq!((start.step, start.distance_tenths, start.calorie_tenths), (0, 0, 0));
        }
    }

    #[test]
    fn a_day_has_sleep_effort_and_half_an_hour_on_the_charger() {
        let person = Person::new(7);
        let midnight = 20_000 * DAY_SECONDS - ZONE_OFFSET_SECONDS;
        let rates: Vec<u32> =
            (0..1440).map(|minute| person.sample(midnight + minute * 60).heart_rate).collect();
        let asleep = rates[60..300].iter().sum::<u32>() / 240;
        let awake = rates[540..1200].iter().sum::<u32>() / 660;
        assert!(asleep + 10 < awake, "asleep {asleep}, awake {awake}");
        assert_eq!(rates.iter().filter(|&&rate| rate == 0).count(), 30);
    }

    #[test]
    fn a_night_ends_after_it_began() {
        for seed in 0..200 {
            let night = Person::new(seed).night(1_760_000_000);
            assert!(night.from_ms < night.deep_until_ms && night.deep_until_ms < night.until_ms);
            assert!((4..11).contains(&((night.until_ms - night.from_ms) / 3_600_000)));
        }
    }
}
