//! What a moment in a row means, whenever the sweep is done.
//!
//! A distance into the future is rounded such that the seconds, or minutes, between what the service took for now and the
//! change itself never make another one of it: what was meant is a whole number of a unit, and what is left of it is a little
//! less. So a number is rounded up, unless it is but little more than a whole one.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime};
use regex::{Captures, Regex};

use authz_pin_database::Clock;
use authz_pin_database::Temporal;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// A year has as many days in the mean, in hours; a month is a twelfth of it.
const YEAR: i64 = 8_766 * HOUR;
const MONTH: i64 = YEAR / 12;

/// How much of a unit a distance can be more than a whole number of it: the clocks of the service and of its database differ.
const SLACK: i64 = 5;

/// Where hours are told in place of minutes, and so on: nobody means such a number of the smaller unit.
const HOURS: i64 = 110 * MINUTE;
const DAYS: i64 = 44 * HOUR;
const MONTHS: i64 = 27 * DAY + DAY / SLACK;
const YEARS: i64 = 24 * MONTH - MONTH / 2;

/// What a column's value means, beside the run and the change that wrote it. `ahead_s` is how far the database's own time of
/// day is ahead of UTC.
pub(super) fn told(value: &str, temporal: Temporal, clock: Clock, ahead_s: i64) -> String {
    if matches!(value, "infinity" | "-infinity") {
        return value.to_owned();
    }
    let ahead = ahead_s * SECOND;
    let told = match temporal {
        Temporal::Time => Some("<time>".to_owned()),
        Temporal::Date => date(value).map(|day| of_day(day, clock)),
        Temporal::Moment => moment(value).map(|moment| of_moment(moment, clock, (0, ahead))),
        Temporal::Local => local(value).map(|moment| of_moment(moment, clock, (ahead, 0))),
    };
    // What is left is before our era, or has a year of five digits.
    told.unwrap_or_else(|| {
        let is_past = value.ends_with("BC");
        let told = if is_past { "<past>" } else { "<far future>" };
        told.to_owned()
    })
}

/// How services write a day.
const DATES: [&str; 11] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%-d.%-m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%-d %B %Y",
    "%B %-d, %Y",
    "%-d %b %Y",
    "%b %-d, %Y",
];

#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:\d{4}[-/]\d\d[-/]\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2} [A-Z][a-z]{2,8} \d{4}|[A-Z][a-z]{2,8} \d{1,2}, \d{4})\b")
        .unwrap()
});

/// The text without today's date, which is another one tomorrow; in some time zone it is yesterday's or tomorrow's.
pub(super) fn without_today(text: &str, clock: Clock) -> Cow<'_, str> {
    DATE.replace_all(text, |found: &Captures<'_>| {
        let date = found.get(0).map_or("", |date| date.as_str());
        if is_today(date, clock) {
            "<date>"
        } else {
            date
        }
        .to_owned()
    })
}

fn is_today(date: &str, clock: Clock) -> bool {
    let days = [clock.at - DAY, clock.at, clock.at + DAY];
    let mut days = days.into_iter().filter_map(DateTime::from_timestamp_micros);
    days.any(|day| {
        let mut forms = DATES.iter();
        forms.any(|form| day.format(form).to_string() == date)
    })
}

/// What a text means that is nothing but a moment, as services write them: as of ISO 8601, RFC 3339 and RFC 5322. How far ahead
/// it is, is not told: what a service always says, such as the end of a contract, is nearer each day.
pub(super) fn in_text(text: &str, clock: Clock) -> Option<String> {
    let told = of_text(text, clock)?;
    let is_ahead = !["<past>", "<within the run>"].contains(&told.as_str());
    Some(if is_ahead {
        "<future>".to_owned()
    } else {
        told
    })
}

fn of_text(text: &str, clock: Clock) -> Option<String> {
    let iso = text.replacen(' ', "T", 1);
    let rfc5322 = || DateTime::parse_from_rfc2822(text).ok();
    let exact = moment(&iso).or_else(|| rfc5322().map(|moment| moment.timestamp_micros()));
    if let Some(moment) = exact.or_else(|| local(&iso)) {
        return Some(of_moment(moment, clock, (0, 0)));
    }
    date(text).map(|day| of_day(day, clock))
}

fn date(value: &str) -> Option<i64> {
    let date = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok()?;
    Some(i64::from(date.num_days_from_ce()) - EPOCH)
}

/// The days of our era before 1970.
const EPOCH: i64 = 719_163;

fn moment(value: &str) -> Option<i64> {
    let moment = DateTime::parse_from_rfc3339(value).ok()?;
    Some(moment.timestamp_micros())
}

fn local(value: &str) -> Option<i64> {
    let moment = NaiveDateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(moment.and_utc().timestamp_micros())
}

/// The day before and the day after are the same: where the service is, it can be another day.
fn of_day(day: i64, clock: Clock) -> String {
    let [began, at] = [clock.began, clock.at].map(|time| time.div_euclid(DAY));
    if day < began - 1 {
        "<past>".to_owned()
    } else if day <= at + 1 {
        "<within the run>".to_owned()
    } else {
        ahead_by((day - at) * DAY)
    }
}

/// A moment without a zone is of UTC, or of the place where the database is, which is `ahead` of UTC; one with a zone can be a
/// midnight there, where it is `there` ahead.
fn of_moment(moment: i64, clock: Clock, (ahead, there): (i64, i64)) -> String {
    let is_within =
        |moment: i64| moment >= cut(clock.began, moment) && moment <= clock.at + MINUTE / SLACK;
    if is_within(moment) || is_within(moment - ahead) {
        "<within the run>".to_owned()
    } else if moment < clock.began {
        "<past>".to_owned()
    } else if (moment % DAY == 0 || (moment + there) % DAY == 0)
        && moment - clock.at <= 2 * MONTH + DAY
    {
        // The end of the day, the week or the month is another distance each day.
        "<a midnight within two months>".to_owned()
    } else {
        ahead_by(moment - clock.at)
    }
}

/// A time as roughly as a moment that has no smaller parts.
fn cut(time: i64, moment: i64) -> i64 {
    let units = [DAY, HOUR, MINUTE, SECOND];
    let unit = units.into_iter().find(|unit| moment % unit == 0);
    unit.map_or(time, |unit| time - time.rem_euclid(unit))
}

fn ahead_by(distance: i64) -> String {
    let up = |unit: i64| (distance - unit / SLACK + unit - 1).div_euclid(unit);
    let nearest = |unit: i64| (distance + unit / 2).div_euclid(unit);
    let (count, unit) = match distance {
        ..HOURS => (up(MINUTE), "minute"),
        HOURS..DAYS => (up(HOUR), "hour"),
        DAYS..MONTHS => (up(DAY), "day"),
        // The months of a year differ in their days.
        MONTHS..YEARS if nearest(MONTH) == 12 => (1, "year"),
        MONTHS..YEARS => (30 * nearest(MONTH), "day"),
        YEARS.. => (nearest(YEAR), "year"),
    };
    let several = if count == 1 { "" } else { "s" };
    format!("<in {count} {unit}{several}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todays_date_is_none_in_whatever_form() {
        let at = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
        let at = at.and_hms_opt(23, 30, 0).unwrap().and_utc();
        let at = at.timestamp_micros();
        let clock = Clock { began: at, at };
        let today = [
            "2026-01-31",
            "2026/01/31",
            "31.01.2026",
            "31/01/2026",
            "01/31/2026",
            "31/01/26",
            "31 January 2026",
            "January 31, 2026",
            "31 Jan 2026",
            "1.2.2026",
        ];
        for date in today {
            let text = format!("Report of {date}, page 1");
            assert_eq!(without_today(&text, clock), "Report of <date>, page 1");
        }
        let others = "born on 29.02.1980, until 2027-01-31, 1.2.3.4 and 10/12";
        assert_eq!(without_today(others, clock), others);
    }

    const AT: &str = "2026-01-31T23:59:50+00:00";

    /// Of a run that began 90 seconds before the change.
    fn at(value: &str, temporal: Temporal, ahead_s: i64) -> String {
        let at = moment(AT).unwrap();
        let clock = Clock {
            began: at - 90 * SECOND,
            at,
        };
        told(value, temporal, clock, ahead_s)
    }

    fn of(value: &str) -> String {
        at(value, Temporal::Moment, 0)
    }

    /// What is told of a moment so many seconds ahead, and of one that is nearly as much.
    fn ahead(seconds: i64) -> String {
        let told = ahead_by(seconds * SECOND);
        for off in [-18_000, -900, -20, -1, 3, 10] {
            // An hour of slack for days, a few seconds for minutes.
            if off * off < seconds {
                assert_eq!(ahead_by((seconds + off) * SECOND), told, "{seconds} {off}");
            }
        }
        told
    }

    #[test]
    fn a_moment_is_past_of_the_run_or_ahead() {
        assert_eq!(of("2026-01-31T23:58:19.999999+00:00"), "<past>");
        assert_eq!(of("2026-01-31T23:58:20+00:00"), "<within the run>");
        assert_eq!(of("2026-02-01T00:00:02+00:00"), "<within the run>");
        assert_eq!(of("2026-02-01T01:59:50+02:00"), "<within the run>");
        assert_eq!(of("2026-02-01T00:01:00+00:00"), "<in 1 minute>");
        assert_eq!(of("2026-03-02T23:59:49.5+00:00"), "<in 30 days>");
        assert_eq!(of("2036-01-31T00:00:00+00:00"), "<in 10 years>");
        assert_eq!(of("infinity"), "infinity");
        assert_eq!(of("-infinity"), "-infinity");
        assert_eq!(of("0044-03-15T00:00:00+00:00 BC"), "<past>");
        assert_eq!(of("294276-01-01T00:00:00+00:00"), "<far future>");
    }

    #[test]
    fn a_moment_without_its_smaller_parts_is_still_of_the_run() {
        let cases = ["23:58:00", "23:00:00", "00:00:00"];
        for time in cases {
            assert_eq!(
                of(&format!("2026-01-31T{time}+00:00")),
                "<within the run>",
                "{time}"
            );
        }
        assert_eq!(of("2026-01-31T23:57:00+00:00"), "<past>");
        assert_eq!(of("2026-01-30T00:00:00+00:00"), "<past>");
    }

    #[test]
    fn a_midnight_is_one_of_utc_or_of_where_the_database_is() {
        let berlin = |value: &str| at(value, Temporal::Moment, 3_600);
        let midnight = "<a midnight within two months>";
        for day in [
            "2026-02-02T23:00:00+00:00",
            "2026-02-03T00:00:00+01:00",
            "2026-02-03T00:00:00+00:00",
        ] {
            assert_eq!(berlin(day), midnight, "{day}");
        }
        assert_eq!(of("2026-02-02T23:00:00+00:00"), "<in 2 days>");
    }

    #[test]
    fn a_distance_is_the_same_however_long_the_call_took() {
        let days = |days: i64| ahead(days * 86_400);
        assert_eq!(
            [60, 900, 3_600, 5_400].map(ahead),
            [
                "<in 1 minute>",
                "<in 15 minutes>",
                "<in 60 minutes>",
                "<in 90 minutes>"
            ]
        );
        assert_eq!(
            [7_200, 86_400, 129_600].map(ahead),
            ["<in 2 hours>", "<in 24 hours>", "<in 36 hours>"]
        );
        assert_eq!(
            [2, 7, 14, 28, 30, 31, 90].map(days),
            [
                "<in 2 days>",
                "<in 7 days>",
                "<in 14 days>",
                "<in 30 days>",
                "<in 30 days>",
                "<in 30 days>",
                "<in 90 days>"
            ]
        );
        assert_eq!(
            [180, 365, 366, 730, 3_652].map(days),
            [
                "<in 180 days>",
                "<in 1 year>",
                "<in 1 year>",
                "<in 2 years>",
                "<in 10 years>"
            ]
        );
    }

    #[test]
    fn the_end_of_a_month_is_the_same_on_each_day_of_it() {
        for day in ["2026-02-02", "2026-02-09", "2026-03-01", "2026-04-01"] {
            let midnight = format!("{day}T00:00:00+00:00");
            assert_eq!(of(&midnight), "<a midnight within two months>");
        }
    }

    #[test]
    fn a_moment_without_a_zone_is_of_utc_or_of_the_databases_place() {
        let local = |value: &str| at(value, Temporal::Local, 3_600);
        assert_eq!(local("2026-01-31T23:59:49.123"), "<within the run>");
        assert_eq!(local("2026-02-01T00:59:49.123"), "<within the run>");
        assert_eq!(local("2026-02-01T02:59:49.123"), "<in 3 hours>");
    }

    #[test]
    fn a_day_is_the_same_one_in_every_zone() {
        let day = |value: &str| at(value, Temporal::Date, 0);
        for value in ["2026-01-30", "2026-01-31", "2026-02-01"] {
            assert_eq!(day(value), "<within the run>");
        }
        assert_eq!(day("2026-01-29"), "<past>");
        assert_eq!(day("2026-03-02"), "<in 30 days>");
        assert_eq!(at("12:00:00", Temporal::Time, 0), "<time>");
    }
}
