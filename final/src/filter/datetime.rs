//! When is a string a point in time? The forms a range condition reads as dates, and the microsecond they name.
//!
//! RFC 3339; also with a space for the `T`, without seconds, without an offset (then UTC), with an offset of hours
//! alone or without its colon, and a date alone (its midnight, UTC). Digits past the microsecond are cut off; a leap
//! second is the second after it.
//!
//! Not here: other calendars, week dates, names of zones, and dates with digits left out.

use jiff::{civil, tz::Offset};

/// The microsecond since 1970 that the text names, if it is a date of one of the forms above, years 0 to 9999.
pub fn parse_datetime(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
        return None;
    }
    let date = civil::Date::new(number(&text[..4])?, number(&text[5..7])?, number(&text[8..10])?).ok()?;
    let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_microsecond();
    match text[10..].strip_prefix(['T', 't', ' ']) {
        Some(time) => Some(midnight + parse_time(time)?),
        None => (bytes.len() == 10).then_some(midnight),
    }
}

/// Microseconds from midnight UTC of `HH:MM[:SS[.f…]][offset]`; may be negative or past the day's end.
fn parse_time(text: &str) -> Option<i64> {
    let (hours, minutes) = (number::<i64>(text.get(..2)?)?, number::<i64>(text.get(3..5)?)?);
    let mut rest = text.get(5..)?;
    let (mut seconds, mut micros) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        seconds = number::<i64>(after.get(..2)?)?;
        rest = &after[2..];
        if let Some(fraction) = rest.strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            micros = format!("{:0<6.6}", fraction.get(..digits).filter(|digits| !digits.is_empty())?)
                .parse()
                .ok()?;
            rest = &fraction[digits..];
        }
    }
    if text.as_bytes()[2] != b':' || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    Some(((hours * 60 + minutes - parse_offset(rest)?) * 60 + seconds) * 1_000_000 + micros)
}

/// Minutes east of UTC of `Z`, `+HH`, `+HHMM`, `+HH:MM`, or nothing.
fn parse_offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first() {
        None | Some(b'Z' | b'z') => return (text.len() < 2).then_some(0),
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at(2),
        _ => digits.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?,
    };
    let (hours, minutes) = (number::<i64>(hours)?, number::<i64>(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// A number written in digits alone.
fn number<T: std::str::FromStr>(digits: &str) -> Option<T> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_read() {
        let noon = 1_577_880_000_000_000;
        for same in [
            "2020-01-01T12:00:00Z",
            "2020-01-01 12:00:00z",
            "2020-01-01t12:00",
            "2020-01-01T13:00:00+01",
            "2020-01-01T13:30:00.000+0130",
            "2020-01-01T11:30-00:30",
            "2020-01-01T12:00:00.0000009Z",
            "2020-01-01T11:59:60Z",
        ] {
            assert_eq!(parse_datetime(same), Some(noon), "{same}");
        }
        assert_eq!(parse_datetime("2020-01-01"), Some(noon - 43_200_000_000));
        assert_eq!(parse_datetime("1970-01-01T00:00:00.5Z"), Some(500_000));
        assert_eq!(parse_datetime("1969-12-31T23:59:59.999999Z"), Some(-1));
    }

    #[test]
    fn anything_else_is_no_date() {
        for bad in [
            "",
            "2020",
            "20200101",
            "2020-1-1",
            "2020-02-30",
            "2020-01-01Z",
            "2020-01-01T00",
            "2020-01-01T24:00Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00,5Z",
            "2020-01-01T00:00:00+1",
            "2020-01-01T00:00:00+25:00",
            "2020-01-01T00:00:00ZZ",
            "2020-01-01T0é:00",
            "2020-01-01T-1:00",
            "2020-01-01T12h00",
            "+12020-01-01",
        ] {
            assert_eq!(parse_datetime(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[0-9T:+. Zzé-]{0,30}") {
            parse_datetime(&text);
            parse_datetime(&format!("2020-01-01T{text}"));
        }

        #[test]
        fn reads_what_is_printed(micros in -62_000_000_000_000_000i64..250_000_000_000_000_000) {
            let text = jiff::Timestamp::from_microsecond(micros).unwrap().to_string();
            prop_assert_eq!(parse_datetime(&text), Some(micros));
        }
    }
}
