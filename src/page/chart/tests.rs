//! Charts: days over changes of the clocks, round numbers, gaps, words for everything that is drawn.

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn point(minute: i64, mean: f64) -> ChartPoint {
    let from = Timestamp::from_second(1_790_000_000 / 900 * 900 + minute * 60).expect("a time");
    ChartPoint { from, to: from, min: mean - 1.0, mean, max: mean + 1.0 }
}

fn heart_rate<'a>(window: &'a TimeWindow, points: Vec<ChartPoint>, marks: &'a [AlertMark]) -> Chart<'a> {
    Chart {
        title: "心率".to_owned(),
        unit: "bpm",
        decimals: 0,
        window,
        language: Language::Zh,
        lines: vec![ChartLine { name: "心率".to_owned(), points, max_gap: SignedDuration::from_mins(30) }],
        limits: vec![LimitLine { value: 120.0, is_upper: true, severity: Severity::Major }],
        marks,
        sleep: &[],
    }
}

#[test]
fn a_scale_of_what_is_never_negative_begins_at_zero() {
    let ticks: Vec<f64> = Scale::around([0.0, 0.0].into_iter()).ticks().collect();
    assert_eq!(ticks.first(), Some(&0.0), "{ticks:?}");
    assert!(ticks.len() > 1, "{ticks:?}");
}

#[test]
fn a_day_on_which_the_clocks_change_has_its_own_length_and_every_day_begins_at_midnight() {
    let berlin = zone("Europe/Berlin");
    for (day, hours) in [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 26), 24)] {
        let window = TimeWindow::of(ChartPeriod::Day, day, &berlin).expect("a day");
        assert_eq!(window.to.duration_since(window.from), SignedDuration::from_hours(hours), "{day}");
        let labels: Vec<String> = window.ticks(Language::En).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"], "{day}");
    }
    let week = TimeWindow::of(ChartPeriod::Week, date(2026, 3, 29), &berlin).expect("a week");
    assert_eq!((week.first, week.last), (date(2026, 3, 23), date(2026, 3, 29)));
    let ticks = week.ticks(Language::En);
    let midnights = ["2026-03-22T23:00:00Z", "2026-03-28T23:00:00Z"].map(time);
    assert_eq!([ticks[0].at, ticks[6].at], midnights);
    assert_eq!(ticks[6].label, "Sun 29");
    assert_eq!(week.to, time("2026-03-29T22:00:00Z"), "an hour earlier than without summer time");
}

#[test]
fn a_day_without_midnight_begins_at_its_first_hour() {
    let window =
        TimeWindow::of(ChartPeriod::Day, date(2018, 11, 4), &zone("America/Sao_Paulo")).expect("a day");
    assert_eq!(window.from, time("2018-11-04T03:00:00Z"), "01:00 local: midnight is left out");
    assert_eq!(window.ticks(Language::En)[0].label, "01:00");
}

#[test]
fn earlier_and_later_lead_from_one_window_to_the_next() {
    let shanghai = zone("Asia/Shanghai");
    for period in ChartPeriod::ALL {
        let window = TimeWindow::of(period, date(2026, 11, 26), &shanghai).expect("a window");
        let before = TimeWindow::of(period, window.earlier().expect("a day"), &shanghai).expect("a window");
        assert_eq!(before.to, window.from, "{period:?}");
        let back = before.later(window.from).expect("it has begun");
        assert_eq!(TimeWindow::of(period, back, &shanghai).expect("a window").from, window.from);
        assert_eq!(window.later(time("2026-11-26T12:00:00Z")), None, "the future is not offered");
    }
}

#[test]
fn the_drawing_says_everything_in_words_too_and_escapes_them() {
    let window = TimeWindow::of(ChartPeriod::Day, date(2026, 9, 21), &zone("Asia/Shanghai")).expect("a day");
    let at = point(0, 0.0).from;
    let marks =
        [AlertMark { at, severity: Severity::Critical, about: "<script>alert(1)</script>".to_owned() }];
    let points = vec![point(0, 71.0), point(5, 75.0), point(60, 90.0)];
    let drawn = heart_rate(&window, points, &marks).draw().into_string();
    for expected in
        ["心率", "aria-label=", "<table>", ">75</td>", "&lt;script&gt;", "class=\"limit major\"", "***"]
    {
        assert!(drawn.contains(expected), "{expected}: {drawn}");
    }
    for unwanted in ["<script", "style=", "NaN", "inf"] {
        assert!(!drawn.contains(unwanted), "{unwanted}: {drawn}");
    }
    let empty = heart_rate(&window, Vec::new(), &[]).draw().into_string();
    assert!(!empty.contains("<svg class=\"drawing\""), "nothing to draw is said in words: {empty}");
}

proptest! {
    #[test]
    fn ticks_are_round_few_and_enclose_every_value(
        values in prop::collection::vec(-1_000.0..300_000.0_f64, 1..50),
    ) {
        let scale = Scale::around(values.iter().copied());
        let ticks: Vec<f64> = scale.ticks().collect();
        prop_assert!((2..=7).contains(&ticks.len()), "{ticks:?}");
        for value in values {
            prop_assert!(ticks[0] <= value && value <= ticks[ticks.len() - 1], "{value} {ticks:?}");
            prop_assert!((TOP - 0.01..=BOTTOM + 0.01).contains(&scale.y(value)));
        }
        let step = ticks[1] - ticks[0];
        let digit = step / 10_f64.powf(step.log10().floor());
        let is_round = [1.0, 2.0, 5.0, 10.0].into_iter().any(|round| (digit - round).abs() < 1e-6);
        prop_assert!(is_round, "{step}");
    }

    #[test]
    fn no_line_bridges_a_gap_and_no_point_is_lost(
        pauses in prop::collection::vec(1_i64..90, 0..60),
        max_gap_minutes in 1_i64..60,
    ) {
        let mut minute = 0;
        let points: Vec<ChartPoint> = pauses.iter().map(|pause| { minute += pause; point(minute, 70.0) }).collect();
        let max_gap = SignedDuration::from_mins(max_gap_minutes);
        let line = ChartLine { name: String::new(), points: points.clone(), max_gap };
        let segments = line::segments(&line);
        prop_assert_eq!(segments.concat(), points);
        for segment in &segments {
            for pair in segment.windows(2) {
                prop_assert!(pair[1].from.duration_since(pair[0].to) <= max_gap);
            }
        }
        for pair in segments.windows(2) {
            let (before, after) = (pair[0].last().expect("a point"), pair[1][0]);
            prop_assert!(after.from.duration_since(before.to) > max_gap);
        }
    }

    #[test]
    fn days_follow_each_other_without_a_hole_in_any_zone(
        zone_name in prop::sample::select(vec![
            "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo",
        ]),
        second in 0_i64..2_000_000_000,
    ) {
        let zone = zone(zone_name);
        let at = Timestamp::from_second(second).expect("a time");
        for period in ChartPeriod::ALL {
            let window = TimeWindow::at(period, at, &zone).expect("a window");
            prop_assert!(window.holds(at));
            let ticks = window.ticks(Language::En);
            prop_assert!(ticks.is_sorted_by(|a, b| a.at < b.at));
            prop_assert!(ticks.iter().all(|tick| window.holds(tick.at)));
            for tick in ticks.iter().filter(|tick| tick.is_day) {
                let just_before = tick.at - SignedDuration::from_nanos(1);
                let (day, eve) = (tick.at.to_zoned(zone.clone()).date(), just_before.to_zoned(zone.clone()).date());
                prop_assert!(eve < day, "{tick:?} is where a day begins");
            }
        }
    }
}
