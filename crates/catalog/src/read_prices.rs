use chat::Prices;
use document::yaml::{Node, Yaml};
use document::{Diagnostics, Fields};

use crate::price_list::is_date;
use crate::{Tariff, Tier, parse_price};

/// Reads `prices` of a model: those of a usual call, `tiers` and `batch`.
pub(crate) fn read_tariff(node: &Node, diagnostics: &mut Diagnostics) -> Option<Tariff> {
    let mut fields = Fields::open(node, "`prices`", diagnostics)?;
    let prices = read_prices(&mut fields, node, diagnostics);
    let batch = fields.get("batch").and_then(|node| {
        let mut fields = Fields::open(node, "`batch`", diagnostics)?;
        let batch = read_prices(&mut fields, node, diagnostics);
        fields.warn_unknown(diagnostics);
        batch
    });
    let mut tiers = Vec::new();
    for node in fields.list("tiers", diagnostics).unwrap_or_default() {
        tiers.extend(read_tier(node, diagnostics));
    }
    tiers.sort_by_key(|tier| tier.above_input_tokens);
    fields.warn_unknown(diagnostics);
    Some(Tariff { prices: prices?, tiers, batch, date: None, source: None })
}

fn read_tier(node: &Node, diagnostics: &mut Diagnostics) -> Option<Tier> {
    let mut fields = Fields::open(node, "a tier", diagnostics)?;
    let above = fields.count("above_input_tokens", diagnostics);
    if above.is_none() {
        diagnostics.error("missing-key", node.span, "a tier needs `above_input_tokens`");
    }
    let prices = read_prices(&mut fields, node, diagnostics);
    fields.warn_unknown(diagnostics);
    Some(Tier { above_input_tokens: above?, prices: prices? })
}

/// Reads prices in dollars per million tokens. `input` and `output` are required: a bucket whose
/// price is left out costs what plain input or output costs.
fn read_prices(
    fields: &mut Fields<'_>,
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<Prices> {
    let before = diagnostics.errors();
    let source = diagnostics.source().clone();
    let mut price = |key: &'static str, or: Option<u64>| {
        let Some(node) = fields.get(key) else { return or };
        let text = match &node.value {
            // The digits as they stand: a small price as a double would be printed with an exponent.
            Yaml::Number(_) => source.text()[node.span.start..node.span.end].to_owned(),
            Yaml::String(text) => text.clone(),
            _ => String::new(),
        };
        if let Ok(price) = parse_price(&text) {
            return Some(price);
        }
        diagnostics.error(
            "bad-price",
            node.span,
            format!("`{key}` must be dollars per million tokens, with at most nine decimals"),
        );
        None
    };
    let input_uncached = price("input", None);
    let output_visible = price("output", None);
    let prices = (
        price("cache_read", input_uncached),
        price("cache_write", input_uncached),
        price("cache_write_1h", input_uncached),
        price("reasoning", output_visible),
    );
    if diagnostics.errors() == before && (input_uncached.is_none() || output_visible.is_none()) {
        diagnostics.error("missing-key", node.span, "`prices` needs `input` and `output`");
    }
    Some(Prices {
        input_uncached: input_uncached?,
        cache_read: prices.0?,
        cache_write_5m: prices.1?,
        cache_write_1h: prices.2?,
        output_visible: output_visible?,
        output_reasoning: prices.3?,
    })
}

/// Reads a day as `2026-11-20`.
pub(crate) fn read_date(node: &Node, diagnostics: &mut Diagnostics) -> Option<String> {
    let found = node.as_str().filter(|text| is_date(text));
    if found.is_none() {
        let message = "`price_date` must be a day in quotes, as \"2026-11-20\"";
        diagnostics.error("bad-date", node.span, message);
    }
    found.map(str::to_owned)
}
