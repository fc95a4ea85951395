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

/// Returns a rate with its interval (`86.3 % · 77–92`), in tenths where the interval is narrow.
pub(crate) fn rate(share: f64, interval: Option<Interval>) -> String {
    let Some(interval) = interval else { return percent(share) };
    let (low, high) = (interval.low() * 100.0, interval.high() * 100.0);
    let decimals = usize::from(high - low < 4.0);
    format!("{} · {}–{}", percent(share), fixed(low, decimals), fixed(high, decimals))
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

/// Returns a duration in milliseconds, in seconds from one second on (`812 ms`, `3.40 s`).
pub(crate) fn duration(ms: f64) -> String {
    let seconds = ms / 1_000.0;
    if ms < 999.5 {
        format!("{} ms", fixed(ms, 0))
    } else if seconds < 9.995 {
        format!("{} s", fixed(seconds, 2))
    } else {
        format!("{} s", fixed(seconds, usize::from(seconds < 99.95)))
    }
}

/// Returns a round duration with no more decimals than it needs.
pub(crate) fn short_duration(ms: f64) -> String {
    if ms <= 0.0 {
        "0".to_owned()
    } else if ms < 999.5 {
        format!("{} ms", short(ms))
    } else {
        format!("{} s", short(ms / 1_000.0))
    }
}

/// Returns dollars with so many decimals.
pub(crate) fn dollars_to(amount: f64, decimals: usize) -> String {
    format!("${}", fixed(amount, decimals))
}

/// Returns dollars with two digits that count (`$0.00042`), and at least cents.
pub(crate) fn dollars(amount: f64) -> String {
    let mut decimals = 2;
    let mut scaled = amount.abs() * 10.0;
    while decimals < 9 && scaled > 0.0 && scaled < 0.995 {
        scaled *= 10.0;
        decimals += 1;
    }
    format!("${}", fixed(amount, decimals))
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
    fn a_rate_stands_with_its_interval() {
        let wide = Interval::new(0.769, 0.923).ok();
        assert_eq!(rate(0.863, wide), "86.3 % · 77–92");
        let narrow = Interval::new(0.851, 0.876).ok();
        assert_eq!(rate(0.863, narrow), "86.3 % · 85.1–87.6");
        assert_eq!(rate(0.5, None), "50.0 %");
    }

    #[test]
    fn durations_and_small_amounts_keep_the_digits_that_count() {
        assert_eq!(duration(812.3), "812 ms");
        assert_eq!(duration(999.7), "1.00 s");
        assert_eq!(duration(3_400.0), "3.40 s");
        assert_eq!(duration(12_340.0), "12.3 s");
        assert_eq!(short_duration(2_500.0), "2.5 s");
        assert_eq!(duration(123_456.0), "123 s");
        assert_eq!(dollars(0.0), "$0.00");
        assert_eq!(dollars(1.5), "$1.50");
        assert_eq!(dollars(0.000_42), "$0.00042");
        assert_eq!(dollars(0.002), "$0.0020");
    }

    #[test]
    fn counts_are_grouped_and_have_a_plural() {
        assert_eq!(counted(1, "case"), "1 case");
        assert_eq!(counted(9999, "case"), "9999 cases");
        assert_eq!(counted(1_234_567, "character"), "1,234,567 characters");
    }
}
