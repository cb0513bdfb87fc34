//! What is a post called? 1 to 20, and 12.5 between 12 and 13.

use std::{fmt, str::FromStr};

/// A post's number, in the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    whole: u8,
    /// The bonus post behind it.
    half: bool,
}

/// The last post.
const LAST: u8 = 20;

/// The post that has a bonus behind it.
const BONUS: u8 = 12;

impl Number {
    /// Post 1 is a program of its own: nothing is typed onto it, and it is typed onto nothing.
    pub const FIRST: Self = Self { whole: 1, half: false };

    /// As folders and files spell it: `03`, `12_5`.
    pub fn folder(self) -> String {
        format!("{:02}{}", self.whole, if self.half { "_5" } else { "" })
    }

    /// The chapter's crate: `ch03`, `ch12_5`.
    pub fn crate_name(self) -> String {
        format!("ch{}", self.folder())
    }

    /// The chapter that this one is typed onto; posts 1 and 2 begin with an empty folder.
    pub fn base(self) -> Option<Self> {
        match (self.whole, self.half) {
            (..=2, _) => None,
            (whole, true) => Some(Self { whole, half: false }),
            (whole, false) => Some(Self { whole: whole - 1, half: whole - 1 == BONUS }),
        }
    }
}

impl FromStr for Number {
    type Err = String;

    /// Reads `3`, `03`, `12.5` and `12_5`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, half) = match text.split_once(['.', '_']) {
            Some((whole, "5")) => (whole, true),
            Some(_) => ("", false),
            None => (text, false),
        };
        match whole.parse() {
            Ok(whole) if (1..=LAST).contains(&whole) && (!half || whole == BONUS) => Ok(Self { whole, half }),
            _ => Err(format!("`{text}` is not a post's number: 1 to {LAST}, or {BONUS}.5")),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.whole, if self.half { ".5" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bonus_stands_between_12_and_13() {
        let [twelve, bonus, thirteen]: [Number; 3] = ["12", "12.5", "13"].map(|text| text.parse().unwrap());
        assert!(twelve < bonus && bonus < thirteen);
        assert_eq!((thirteen.base(), bonus.base()), (Some(bonus), Some(twelve)));
        assert_eq!((bonus.crate_name(), bonus.to_string()), ("ch12_5".into(), "12.5".into()));
    }

    #[test]
    fn the_first_two_posts_begin_with_nothing() {
        assert_eq!(["1", "02"].map(|text| text.parse::<Number>().unwrap().base()), [None, None]);
        assert_eq!("3".parse::<Number>().unwrap().base(), Some("2".parse().unwrap()));
    }

    #[test]
    fn there_are_no_other_posts() {
        for text in ["0", "21", "3.5", "12_6", "", "x"] {
            assert!(text.parse::<Number>().is_err(), "{text:?}");
        }
    }
}
