//! Numbers as people read them: a true minus sign, points with one decimal, rates in percent.

use values::Interval;

/// Returns a number with `decimals`, with a true minus sign and never a negative zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    match text.strip_prefix('-') {
        Some(magnitude) if is_zero => magnitude.to_owned(),
        Some(magnitude) => format!("\u{2212}{magnitude}"),
        None => text,
    }
}

/// Returns a number with `decimals` and its sign, which only a zero lacks.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if is_zero || text.starts_with('\u{2212}') { text } else { format!("+{text}") }
}

/// Returns a difference of shares in points (`+10.8`).
pub(crate) fn points(share: f64) -> String {
    signed(share * 100.0, 1)
}

/// Returns the interval of a difference of shares in points (`+3.3 to +19.1`).
pub(crate) fn point_range(interval: Interval) -> String {
    format!("{} to {}", points(interval.low()), points(interval.high()))
}

/// Returns a share without a sign in points, as few decimals as it needs (`5`, `2.5`).
pub(crate) fn plain_points(share: f64) -> String {
    short(share * 100.0)
}

/// Returns a share in percent (`86.3 %`).
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", fixed(share * 100.0, 1))
}

/// Returns a level in percent, as few decimals as it needs (`95 %`, `97.5 %`).
pub(crate) fn level(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// Returns a number with at most two decimals and no trailing zeros.
fn short(value: f64) -> String {
    let text = fixed(value, 2);
    match text.trim_end_matches('0').trim_end_matches('.') {
        "" => "0".to_owned(),
        kept => kept.to_owned(),
    }
}

/// Returns a count with thin groups of three from 10,000 on.
pub(crate) fn count(value: usize) -> String {
    let digits = value.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a count with its noun, in the plural unless it is 1.
pub(crate) fn counted(value: usize, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_has_no_sign_and_a_loss_a_true_minus() {
        assert_eq!(points(0.108), "+10.8");
        assert_eq!(points(-0.0004), "0.0");
        assert_eq!(points(0.0), "0.0");
        assert_eq!(points(-0.076), "\u{2212}7.6");
        assert_eq!(point_range(Interval::new(-0.076, 0.116).unwrap()), "\u{2212}7.6 to +11.6");
    }

    #[test]
    fn levels_and_margins_have_only_the_decimals_they_need() {
        assert_eq!(level(0.95), "95 %");
        assert_eq!(level(0.975), "97.5 %");
        assert_eq!(level(1.0 - 0.05 / 3.0), "98.33 %");
        assert_eq!(plain_points(0.05), "5");
        assert_eq!(plain_points(0.025), "2.5");
        assert_eq!(plain_points(0.0), "0");
        assert_eq!(plain_points(0.1), "10");
    }

    #[test]
    fn counts_are_grouped_and_have_a_plural() {
        assert_eq!(counted(1, "case"), "1 case");
        assert_eq!(counted(9999, "case"), "9999 cases");
        assert_eq!(counted(1_234_567, "character"), "1,234,567 characters");
    }
}
