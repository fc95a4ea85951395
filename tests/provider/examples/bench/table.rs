//! What was measured, beside what was aimed at.

use std::time::Duration;

/// A section's results.
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Begins a table.
    pub(crate) fn new(title: &str) -> Self {
        let head = [title, "measured", "target", "of target"].map(ToOwned::to_owned);
        Self { rows: vec![head] }
    }

    /// Adds a number that nothing was aimed at for.
    pub(crate) fn note(&mut self, what: &str, measured: String) {
        self.rows.push([what.to_owned(), measured, String::new(), String::new()]);
    }

    /// Adds a number and its target, both in the unit that `shown` prints.
    pub(crate) fn row(
        &mut self,
        what: &str,
        measured: f64,
        target: f64,
        shown: impl Fn(f64) -> String,
    ) {
        let ratio = format!("{:.2}", measured / target);
        self.rows.push([what.to_owned(), shown(measured), shown(target), ratio]);
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        let width = |column: usize| {
            let widths = self.rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default()
        };
        let [what, measured, target, ratio] = [0, 1, 2, 3].map(width);
        for row in &self.rows {
            println!(
                "{:<what$}  {:>measured$}  {:>target$}  {:>ratio$}",
                row[0], row[1], row[2], row[3]
            );
        }
        println!();
    }
}

/// Shows seconds.
pub(crate) fn seconds(value: f64) -> String {
    format!("{value:.3} s")
}

/// Shows milliseconds.
pub(crate) fn milliseconds(value: f64) -> String {
    format!("{value:.1} ms")
}

/// Shows the milliseconds of one call.
pub(crate) fn milliseconds_each(value: f64) -> String {
    format!("{value:.3} ms")
}

/// Shows a ratio.
pub(crate) fn times(value: f64) -> String {
    format!("{value:.3} ×")
}

/// Shows millions of bytes.
pub(crate) fn megabytes(value: f64) -> String {
    format!("{value:.1} MB")
}

/// Returns milliseconds of a duration.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Returns millions of bytes.
pub(crate) fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
