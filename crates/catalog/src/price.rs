use values::NanoDollars;

/// A price is not what it should be written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceError;

/// Reads a price in dollars per million tokens as nano-dollars per million tokens.
///
/// At most nine decimals, which is exact; signs and exponents are not prices.
///
/// # Errors
/// [`PriceError`] for anything else.
pub fn parse_price(text: &str) -> Result<u64, PriceError> {
    NanoDollars::parse_dollars(text)
        .and_then(|price| u64::try_from(price.get()).ok())
        .ok_or(PriceError)
}

/// Writes nano-dollars per million tokens as dollars per million tokens, exactly.
pub fn price_text(price: u64) -> String {
    let fraction = format!("{:09}", price % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let whole = price / 1_000_000_000;
    if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
}

/// From dollars per token to nano-dollars per million tokens.
const PER_TOKEN_EXPONENT: i32 = 15;

/// Reads a price in dollars per single token, as a JSON number is written (`2.5e-06`), as
/// nano-dollars per million tokens. No floating point is involved; digits below a nano-dollar, which
/// only the rounding of other programs leaves behind, are rounded to the nearest.
///
/// # Errors
/// [`PriceError`] for a negative price, which lists use for "it depends", for one that is too
/// large, and for what is no number.
pub fn parse_price_per_token(text: &str) -> Result<u64, PriceError> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| PriceError)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(PriceError);
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    // Nobody writes more; a double has 17 digits.
    if digits.len() > 30 {
        return Err(PriceError);
    }
    let value: u128 = digits.parse().map_err(|_| PriceError)?;
    let decimals = i32::try_from(fraction.len()).map_err(|_| PriceError)?;
    let shift = exponent
        .checked_sub(decimals)
        .and_then(|shift| shift.checked_add(PER_TOKEN_EXPONENT))
        .ok_or(PriceError)?;
    let power = 10_u128.checked_pow(shift.unsigned_abs());
    let scaled = if shift >= 0 {
        power.and_then(|power| value.checked_mul(power)).ok_or(PriceError)?
    } else {
        power.map_or(0, |power| (value + power / 2) / power)
    };
    u64::try_from(scaled).map_err(|_| PriceError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(parse_price("3"), Ok(3_000_000_000));
        assert_eq!(parse_price("0.075"), Ok(75_000_000));
        assert_eq!(parse_price("-1"), Err(PriceError));
        assert_eq!(parse_price("1e-3"), Err(PriceError));
    }

    #[test]
    fn a_price_per_token_is_read_without_a_float() {
        assert_eq!(parse_price_per_token("2.5e-06"), Ok(2_500_000_000));
        assert_eq!(parse_price_per_token("1.25E-7"), Ok(125_000_000));
        assert_eq!(parse_price_per_token("0.000003"), Ok(3_000_000_000));
        assert_eq!(parse_price_per_token("0"), Ok(0));
        assert_eq!(parse_price_per_token("0.0"), Ok(0));
        // What a double makes of 3e-7.
        assert_eq!(parse_price_per_token("3.0000000000000004e-07"), Ok(300_000_000));
        for bad in ["-1", "", ".", "1e", "nan", "1e30", "1e2147483647"] {
            assert_eq!(parse_price_per_token(bad), Err(PriceError), "{bad}");
        }
        assert_eq!(parse_price_per_token("1e-400"), Ok(0));
    }

    proptest! {
        #[test]
        fn a_price_reads_back_as_it_was_written(price in 0..=i64::MAX as u64) {
            prop_assert_eq!(parse_price(&price_text(price)), Ok(price));
        }

        #[test]
        fn both_spellings_of_a_price_agree(price in 0_u64..1_000_000_000_000) {
            prop_assert_eq!(parse_price_per_token(&format!("{price}e-15")), Ok(price));
        }
    }
}
