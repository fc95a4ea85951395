//! Reading a vector's input, and writing a result the way vectors do.

use serde_json::{Value, json};
use stats::{Defined, Level, PairedCounts};
use values::Interval;

/// The input of a vector.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a Value);

impl<'a> Input<'a> {
    pub(crate) fn get(self, field: &str) -> &'a Value {
        self.0.get(field).unwrap_or_else(|| panic!("the input has no {field}"))
    }

    pub(crate) fn number(self, field: &str) -> f64 {
        number(self.get(field))
    }

    pub(crate) fn count(self, field: &str) -> u64 {
        self.get(field).as_u64().unwrap_or_else(|| panic!("{field} is no count"))
    }

    pub(crate) fn size(self, field: &str) -> usize {
        usize::try_from(self.count(field)).unwrap()
    }

    pub(crate) fn text(self, field: &str) -> &'a str {
        self.get(field).as_str().unwrap_or_else(|| panic!("{field} is no text"))
    }

    pub(crate) fn list(self, field: &str) -> &'a [Value] {
        self.get(field).as_array().unwrap_or_else(|| panic!("{field} is no list"))
    }

    pub(crate) fn numbers(self, field: &str) -> Vec<f64> {
        self.list(field).iter().map(number).collect()
    }

    pub(crate) fn optional_numbers(self, field: &str) -> Vec<Option<f64>> {
        optional_numbers(self.get(field))
    }

    pub(crate) fn rows(self, field: &str) -> Vec<Vec<f64>> {
        self.list(field)
            .iter()
            .map(|row| row.as_array().unwrap().iter().map(number).collect())
            .collect()
    }

    pub(crate) fn optional_rows(self, field: &str) -> Vec<Vec<Option<f64>>> {
        self.list(field).iter().map(optional_numbers).collect()
    }

    pub(crate) fn sizes(self, field: &str) -> Vec<usize> {
        sizes(self.get(field))
    }

    pub(crate) fn flags(self, field: &str) -> Vec<bool> {
        self.list(field)
            .iter()
            .map(|flag| flag.as_bool().unwrap_or_else(|| number(flag) > 0.5))
            .collect()
    }

    /// The level of `conf_level`.
    pub(crate) fn level(self) -> Level {
        Level::of_confidence(self.number("conf_level")).unwrap()
    }

    /// The level of `alpha`.
    pub(crate) fn alpha(self) -> Level {
        Level::of_alpha(self.number("alpha")).unwrap()
    }

    pub(crate) fn square(self) -> PairedCounts {
        PairedCounts {
            both: self.count("both_pass"),
            a_only: self.count("a_only"),
            b_only: self.count("b_only"),
            neither: self.count("both_fail"),
        }
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn optional_numbers(value: &Value) -> Vec<Option<f64>> {
    value.as_array().unwrap().iter().map(Value::as_f64).collect()
}

pub(crate) fn sizes(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|size| usize::try_from(size.as_u64().unwrap()).unwrap())
        .collect()
}

/// A defined number, or null.
pub(crate) fn n(value: Defined<f64>) -> Value {
    value.map_or(Value::Null, |value| json!(value))
}

/// A defined count, or null.
pub(crate) fn count(value: Defined<usize>) -> Value {
    value.map_or(Value::Null, |value| json!(value))
}

/// A defined answer, or null.
pub(crate) fn flag(value: Defined<bool>) -> Value {
    value.map_or(Value::Null, |value| json!(value))
}

/// The lower end of a defined interval, or null.
pub(crate) fn low(interval: Defined<Interval>) -> Value {
    n(interval.map(|interval| interval.low()))
}

/// The upper end of a defined interval, or null.
pub(crate) fn high(interval: Defined<Interval>) -> Value {
    n(interval.map(|interval| interval.high()))
}
