//! Durations such as `30s`, `12h`, `7d` or `1mo` (litellm 1.85.1, `litellm_core_utils/duration_parser.py`).

use chrono::{DateTime, Datelike, Months, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::denial::Denial;

/// The present, as precise as LiteLLM's `timestamp(3)` columns.
pub(crate) fn now() -> NaiveDateTime {
    let now = Utc::now();
    DateTime::from_timestamp_millis(now.timestamp_millis())
        .unwrap_or(now)
        .naive_utc()
}

/// The moment that lies a duration ahead.
pub(crate) fn ahead(duration: &str) -> Result<NaiveDateTime, Denial> {
    now()
        .checked_add_signed(TimeDelta::seconds(seconds(duration)?))
        .ok_or_else(|| Denial::Fault("date value out of range".into()))
}

/// When a budget that starts now starts again: days end at midnight, weeks on Monday, months on the first.
pub(crate) fn next_reset(duration: &str) -> Result<NaiveDateTime, Denial> {
    let length = TimeDelta::seconds(seconds(duration)?);
    Ok(reset_after(now(), duration, length))
}

fn reset_after(now: NaiveDateTime, duration: &str, length: TimeDelta) -> NaiveDateTime {
    let today = now.date();
    let midnight = today.and_time(NaiveTime::MIN);
    let in_days = |days: i64| {
        midnight
            .checked_add_signed(TimeDelta::days(days))
            .unwrap_or(midnight)
    };
    match duration {
        "7d" => in_days(7 - i64::from(today.weekday().num_days_from_monday())),
        "30d" | "1mo" => {
            let first = today
                .with_day(1)
                .and_then(|day| day.checked_add_months(Months::new(1)));
            first.map_or(midnight, |day| day.and_time(NaiveTime::MIN))
        }
        _ if length >= TimeDelta::days(1) => in_days(length.num_days()),
        _ => {
            let length = length.num_seconds().max(1);
            let passed = (now - midnight).num_seconds() / length;
            let reset = TimeDelta::seconds((passed + 1) * length);
            midnight.checked_add_signed(reset).unwrap_or(midnight)
        }
    }
}

/// A duration's length; a month's is counted from now.
pub(crate) fn seconds(duration: &str) -> Result<i64, Denial> {
    let digits = duration.bytes().take_while(u8::is_ascii_digit).count();
    let (value, unit) = duration.split_at(digits);
    let value: i64 = value
        .parse()
        .map_err(|_| Denial::Fault("Invalid duration format".into()))?;
    // The real parser looks at the beginning of the unit only.
    let factor = match unit.as_bytes() {
        [b'm', b'o', ..] => return months(value),
        [b's', ..] => 1,
        [b'm', ..] => 60,
        [b'h', ..] => 3600,
        [b'd', ..] => 86_400,
        [b'w', ..] => 604_800,
        _ => {
            return Err(Denial::Fault(format!(
                "Unsupported duration unit, passed duration: {duration}"
            )));
        }
    };
    Ok(value.saturating_mul(factor))
}

fn months(count: i64) -> Result<i64, Denial> {
    let now = Utc::now();
    u32::try_from(count)
        .ok()
        .and_then(|count| now.checked_add_months(Months::new(count)))
        .map(|then| (then - now).num_seconds())
        .ok_or_else(|| Denial::Fault("date value out of range".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_their_lengths_in_seconds() {
        let lengths = [
            ("30s", 30),
            ("2m", 120),
            ("12h", 43_200),
            ("7d", 604_800),
            ("1w", 604_800),
        ];
        for (text, length) in lengths {
            assert_eq!(seconds(text), Ok(length), "{text}");
        }
        assert!((28..=31).contains(&(seconds("1mo").unwrap() / 86_400)));
    }

    #[test]
    fn budgets_start_again_at_round_moments() {
        let now: NaiveDateTime = "2026-12-30T10:20:30".parse().unwrap();
        let resets = [
            ("1d", "2026-12-31T00:00:00"),
            ("7d", "2027-01-04T00:00:00"),
            ("30d", "2027-01-01T00:00:00"),
            ("10d", "2027-01-09T00:00:00"),
            ("12h", "2026-12-30T12:00:00"),
            ("15m", "2026-12-30T10:30:00"),
        ];
        for (duration, reset) in resets {
            let length = TimeDelta::seconds(seconds(duration).unwrap());
            assert_eq!(
                reset_after(now, duration, length),
                reset.parse().unwrap(),
                "{duration}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        assert_eq!(
            seconds("d"),
            Err(Denial::Fault("Invalid duration format".into()))
        );
        assert_eq!(
            seconds("5y"),
            Err(Denial::Fault(
                "Unsupported duration unit, passed duration: 5y".into()
            ))
        );
        assert_eq!(
            seconds("5"),
            Err(Denial::Fault(
                "Unsupported duration unit, passed duration: 5".into()
            ))
        );
    }
}
