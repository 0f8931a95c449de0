//! The time that a chart covers: a day, a week or a month of the viewer's calendar, whatever the clocks do meanwhile.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::language::Language;
use crate::page::when;

/// Hours between two labels of a day.
const HOURS: i8 = 3;

/// Days between two labels of a month.
const DAYS: usize = 7;

/// How long a chart covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChartPeriod {
    /// From midnight to midnight.
    #[default]
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
}

impl ChartPeriod {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl std::str::FromStr for ChartPeriod {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|period| period.name() == name).ok_or("one of: day, week, month")
    }
}

/// A day, a week or a month in a time zone.
#[derive(Debug, Clone)]
pub struct TimeWindow {
    /// Which of them.
    pub period: ChartPeriod,
    /// Its first day.
    pub first: Date,
    /// Its last day.
    pub last: Date,
    /// The zone of the viewer.
    pub zone: TimeZone,
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub to: Timestamp,
}

/// A label below a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeTick {
    pub(super) at: Timestamp,
    pub(super) label: String,
    /// A day begins here.
    pub(super) is_day: bool,
    /// Left out where there is little room.
    pub(super) is_spare: bool,
}

impl TimeWindow {
    /// The day, week or month that holds a date; `None`: it is at the end of the calendar.
    pub fn of(period: ChartPeriod, date: Date, zone: &TimeZone) -> Option<Self> {
        let (first, last) = match period {
            ChartPeriod::Day => (date, date),
            ChartPeriod::Week => {
                let monday =
                    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()?;
                (monday, monday.checked_add(6.days()).ok()?)
            }
            ChartPeriod::Month => (date.first_of_month(), date.last_of_month()),
        };
        let (from, to) = (start_of(first, zone)?, start_of(last.tomorrow().ok()?, zone)?);
        Some(Self { period, first, last, zone: zone.clone(), from, to })
    }

    /// The one that holds a time.
    pub fn at(period: ChartPeriod, at: Timestamp, zone: &TimeZone) -> Option<Self> {
        Self::of(period, at.to_zoned(zone.clone()).date(), zone)
    }

    /// A day of the one before.
    pub fn earlier(&self) -> Option<Date> {
        self.first.yesterday().ok()
    }

    /// A day of the one after; `None`: it has not begun.
    pub fn later(&self, now: Timestamp) -> Option<Date> {
        self.last.tomorrow().ok().filter(|_| self.to <= now)
    }

    /// Where a time is: 0 at the beginning, 1 at the end, and not beyond.
    #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
    pub(super) fn share(&self, at: Timestamp) -> f64 {
        let millis = |from: Timestamp, to: Timestamp| to.duration_since(from).as_millis() as f64;
        (millis(self.from, at) / millis(self.from, self.to)).clamp(0.0, 1.0)
    }

    /// Whether a time is in it.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether it has a part of another time.
    pub fn overlaps(&self, from: Timestamp, to: Timestamp) -> bool {
        from < self.to && self.from < to
    }

    /// Its first day, for a person.
    pub fn first_day(&self, language: Language) -> String {
        when::date(self.first, language)
    }

    /// Its last day, for a person.
    pub fn last_day(&self, language: Language) -> String {
        when::date(self.last, language)
    }

    /// The labels, in order: hours of a day; days of a week or a month.
    pub(super) fn ticks(&self, language: Language) -> Vec<TimeTick> {
        let mut ticks = match self.period {
            ChartPeriod::Day => self.hours(),
            ChartPeriod::Week => self.days(1, |date| when::weekday(date, language)),
            ChartPeriod::Month => self.days(DAYS, |date| when::short_date(date, language)),
        };
        // An hour that the clocks leave out is that of the next label.
        ticks.dedup_by_key(|tick| tick.at);
        ticks
    }

    fn hours(&self) -> Vec<TimeTick> {
        let hours = (0..24).step_by(HOURS as usize).filter_map(|hour| {
            let zoned = self.first.at(hour, 0, 0, 0).to_zoned(self.zone.clone()).ok()?;
            let is_spare = hour % (2 * HOURS) != 0;
            Some(TimeTick {
                at: zoned.timestamp(),
                label: zoned.strftime("%H:%M").to_string(),
                is_day: hour == 0,
                is_spare,
            })
        });
        hours.collect()
    }

    fn days(&self, every: usize, label: impl Fn(Date) -> String) -> Vec<TimeTick> {
        let days = self.first.series(1.day()).take_while(|date| *date <= self.last).step_by(every);
        days.filter_map(|date| {
            let at = start_of(date, &self.zone)?;
            Some(TimeTick { at, label: label(date), is_day: true, is_spare: false })
        })
        .collect()
    }
}

/// When a day begins: where the clocks leave out midnight, at the first time that there is.
fn start_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}
