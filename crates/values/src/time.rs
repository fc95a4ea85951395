use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC, to the millisecond; as text, RFC 3339 with a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes an instant from milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// Instants outside the years -9999 to 9999 are moved to the nearest one inside.
    pub fn from_unix_ms(millis: i64) -> Self {
        let (first, last) =
            (jiff::Timestamp::MIN.as_second() * 1000, jiff::Timestamp::MAX.as_second() * 1000);
        Self(millis.clamp(first, last))
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Returns the milliseconds from `earlier` to this instant, 0 if it is not earlier.
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_millisecond(self.0).expect("clamped when made");
        fmt::Display::fmt(&instant, f)
    }
}

/// The text is not an RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: expected RFC 3339 such as 2026-11-20T09:30:00Z")]
pub struct ParseTimestampError(String);

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant: jiff::Timestamp =
            text.parse().map_err(|_| ParseTimestampError(text.chars().take(80).collect()))?;
        Ok(Self(instant.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_to_the_millisecond() {
        let time = Timestamp::from_unix_ms(1_763_631_000_123);
        assert_eq!(time.to_string(), "2025-11-20T09:30:00.123Z");
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn extreme_instants_are_clamped_and_still_have_a_text() {
        assert!(!Timestamp::from_unix_ms(i64::MAX).to_string().is_empty());
        assert_eq!(Timestamp::from_unix_ms(5).ms_since(Timestamp::from_unix_ms(9)), 0);
    }
}
