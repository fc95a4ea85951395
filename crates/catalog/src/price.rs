use values::NanoDollars;

/// A price is not dollars per million tokens.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(parse_price("3"), Ok(3_000_000_000));
        assert_eq!(parse_price("0.075"), Ok(75_000_000));
        assert_eq!(parse_price("-1"), Err(PriceError));
        assert_eq!(parse_price("1e-3"), Err(PriceError));
    }
}
