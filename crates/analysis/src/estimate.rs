use serde::Serialize;
use stats::{Defined, Undefined};

/// A number that may not exist, with the reason why not; never NaN and never 0 in its place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Estimate<T> {
    /// It exists.
    Value {
        /// The number, or the interval.
        value: T,
    },
    /// It does not exist for these data.
    Undefined {
        /// A word for programs, one of those of [`Undefined::code`].
        reason: &'static str,
    },
}

impl<T: Copy> Estimate<T> {
    /// Returns the number, if it exists.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value { value } => Some(value),
            Self::Undefined { .. } => None,
        }
    }
}

impl<T> From<Defined<T>> for Estimate<T> {
    fn from(defined: Defined<T>) -> Self {
        match defined {
            Ok(value) => Self::Value { value },
            Err(undefined) => undefined.into(),
        }
    }
}

impl<T> From<Undefined> for Estimate<T> {
    fn from(undefined: Undefined) -> Self {
        Self::Undefined { reason: undefined.code() }
    }
}
