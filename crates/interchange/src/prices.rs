//! Price lists of other programs: LiteLLM's file and OpenRouter's list of models.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{PriceRow, Tariff, Tier, parse_price_per_token};
use chat::Prices;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Whose list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceFormat {
    /// LiteLLM's `model_prices_and_context_window.json`.
    Litellm,
    /// The answer of OpenRouter's list of models.
    Openrouter,
}

impl PriceFormat {
    /// Returns how the list is called as a source.
    pub fn title(self) -> &'static str {
        match self {
            Self::Litellm => "LiteLLM's price file",
            Self::Openrouter => "OpenRouter's list of models",
        }
    }
}

/// What a list holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceImport {
    /// Models with a price by tokens, at an origin that is known.
    pub rows: Vec<PriceRow>,
    /// Models whose price cannot be told, by origin and name, and why. They stay unknown.
    pub skipped: Vec<SkippedPrice>,
}

/// A model whose price cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedPrice {
    /// Where it would hold.
    pub origin: String,
    /// The model.
    pub model: String,
    /// Why: a lower-case fragment.
    pub why: &'static str,
}

/// The file is no such list.
#[derive(Debug, thiserror::Error)]
#[error("this is not {}: {source}", format.title())]
pub struct PriceImportError {
    format: PriceFormat,
    #[source]
    source: serde_json::Error,
}

/// Reads a list of prices. Numbers are read from their digits, never through floating point.
///
/// `date` is the day on which it was read (`2026-11-20`); `source` says where from.
///
/// # Errors
/// [`PriceImportError`] if it is not that list at all; a single model that cannot be read is
/// skipped with the reason.
pub fn read_prices(
    text: &str,
    format: PriceFormat,
    date: &str,
    source: &str,
) -> Result<PriceImport, PriceImportError> {
    let read = match format {
        PriceFormat::Litellm => read_litellm(text),
        PriceFormat::Openrouter => read_openrouter(text),
    };
    let mut import = read.map_err(|source| PriceImportError { format, source })?;
    for row in &mut import.rows {
        row.tariff.date = Some(date.to_owned());
        row.tariff.source = Some(source.to_owned());
    }
    Ok(import)
}

impl PriceImport {
    fn add(&mut self, origin: &str, model: &str, tariff: Result<Tariff, &'static str>) {
        let (origin, model) = (origin.to_owned(), model.to_owned());
        match tariff {
            Ok(tariff) => self.rows.push(PriceRow { origin, model, tariff }),
            Err(why) => self.skipped.push(SkippedPrice { origin, model, why }),
        }
    }
}

/// The origins of LiteLLM's providers that bill by the token under one public address.
const LITELLM_ORIGINS: [(&str, &str); 11] = [
    ("anthropic", "https://api.anthropic.com"),
    ("cerebras", "https://api.cerebras.ai"),
    ("deepseek", "https://api.deepseek.com"),
    ("fireworks_ai", "https://api.fireworks.ai"),
    ("gemini", "https://generativelanguage.googleapis.com"),
    ("groq", "https://api.groq.com"),
    ("mistral", "https://api.mistral.ai"),
    ("openai", "https://api.openai.com"),
    ("openrouter", "https://openrouter.ai"),
    ("together_ai", "https://api.together.xyz"),
    ("xai", "https://api.x.ai"),
];

type Entry<'t> = BTreeMap<String, &'t RawValue>;

fn read_litellm(text: &str) -> Result<PriceImport, serde_json::Error> {
    let models: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
    let mut import = PriceImport::default();
    for (name, raw) in models {
        // A specimen that documents the keys.
        if name == "sample_spec" {
            continue;
        }
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(raw.get()) else { continue };
        let word = |key: &str| entry.get(key).map(|raw| raw.get().trim_matches('"'));
        let is_chat = matches!(word("mode"), Some("chat" | "completion" | "responses"));
        let provider = word("litellm_provider").unwrap_or_default();
        let origin = LITELLM_ORIGINS.iter().find(|(known, _)| *known == provider);
        let (true, Some((_, origin))) = (is_chat, origin) else { continue };
        let model = name.strip_prefix(&format!("{provider}/")).unwrap_or(&name);
        import.add(origin, model, litellm_tariff(&entry));
    }
    Ok(import)
}

fn litellm_tariff(entry: &Entry<'_>) -> Result<Tariff, &'static str> {
    let prices = litellm_prices(entry, "", None)?;
    let thresholds: BTreeSet<u64> = entry
        .keys()
        .filter_map(|key| {
            let (_, rest) = key.rsplit_once("_above_")?;
            rest.strip_suffix("k_tokens")?.parse::<u64>().ok()
        })
        .collect();
    let mut tiers = Vec::new();
    for thousands in thresholds {
        let suffix = format!("_above_{thousands}k_tokens");
        tiers.push(Tier {
            above_input_tokens: thousands.saturating_mul(1_000),
            prices: litellm_prices(entry, &suffix, Some(&prices))?,
        });
    }
    let has_batch = entry.contains_key("input_cost_per_token_batches")
        && entry.contains_key("output_cost_per_token_batches");
    let batch = has_batch.then(|| litellm_prices(entry, "_batches", None)).transpose()?;
    Ok(Tariff { prices, tiers, batch, date: None, source: None })
}

/// Reads the prices whose keys end in `suffix`; what a tier leaves out of input and output is as in
/// `base`.
fn litellm_prices(
    entry: &Entry<'_>,
    suffix: &str,
    base: Option<&Prices>,
) -> Result<Prices, &'static str> {
    let price = |key: &str| per_token(entry.get(&format!("{key}{suffix}")).copied());
    let input = price("input_cost_per_token")?.or(base.map(|base| base.input_uncached));
    let output = price("output_cost_per_token")?.or(base.map(|base| base.output_visible));
    let (Some(input), Some(output)) = (input, output) else {
        return Err("it states no price by the token");
    };
    let cache_write = price("cache_creation_input_token_cost")?.unwrap_or(input);
    Ok(Prices {
        input_uncached: input,
        cache_read: price("cache_read_input_token_cost")?.unwrap_or(input),
        cache_write_5m: cache_write,
        cache_write_1h: price("cache_creation_input_token_cost_above_1hr")?.unwrap_or(cache_write),
        output_visible: output,
        output_reasoning: price("output_cost_per_reasoning_token")?.unwrap_or(output),
    })
}

/// Reads a price of one token, which stands there as a number or as text.
fn per_token(raw: Option<&RawValue>) -> Result<Option<u64>, &'static str> {
    let text = match raw.map(|raw| raw.get().trim_matches('"')) {
        None | Some("null") => return Ok(None),
        Some(text) => text,
    };
    if text.starts_with('-') {
        return Err("its price depends on where it is routed");
    }
    parse_price_per_token(text).map(Some).map_err(|_| "its price cannot be read")
}

#[derive(Deserialize)]
struct OpenrouterList<'t> {
    #[serde(borrow)]
    data: Vec<&'t RawValue>,
}

#[derive(Deserialize)]
struct OpenrouterModel<'t> {
    id: String,
    #[serde(borrow, default)]
    pricing: Option<BTreeMap<String, &'t RawValue>>,
}

fn read_openrouter(text: &str) -> Result<PriceImport, serde_json::Error> {
    let list: OpenrouterList<'_> = serde_json::from_str(text)?;
    let mut import = PriceImport::default();
    for raw in list.data {
        let Ok(model) = serde_json::from_str::<OpenrouterModel<'_>>(raw.get()) else { continue };
        let tariff = match &model.pricing {
            Some(pricing) => openrouter_tariff(pricing),
            None => Err("it states no price by the token"),
        };
        import.add("https://openrouter.ai", &model.id, tariff);
    }
    Ok(import)
}

fn openrouter_tariff(pricing: &Entry<'_>) -> Result<Tariff, &'static str> {
    let prices = openrouter_prices(pricing, None)?;
    if per_token(pricing.get("request").copied())?.is_some_and(|price| price > 0) {
        return Err("it is billed by the request, too");
    }
    let mut tiers = Vec::new();
    if let Some(overrides) = pricing.get("overrides") {
        let overrides: Vec<Entry<'_>> =
            serde_json::from_str(overrides.get()).map_err(|_| "its price cannot be read")?;
        for entry in overrides {
            let least = entry.get("min_prompt_tokens").and_then(|raw| raw.get().parse().ok());
            let least: u64 = least.ok_or("its price depends on the time of day")?;
            tiers.push(Tier {
                above_input_tokens: least.saturating_sub(1),
                prices: openrouter_prices(&entry, Some(&prices))?,
            });
        }
    }
    tiers.sort_by_key(|tier| tier.above_input_tokens);
    Ok(Tariff { prices, tiers, ..Tariff::default() })
}

fn openrouter_prices(entry: &Entry<'_>, base: Option<&Prices>) -> Result<Prices, &'static str> {
    let price = |key: &str| per_token(entry.get(key).copied());
    let input = price("prompt")?.or(base.map(|base| base.input_uncached));
    let output = price("completion")?.or(base.map(|base| base.output_visible));
    let (Some(input), Some(output)) = (input, output) else {
        return Err("it states no price by the token");
    };
    let cache_write = price("input_cache_write")?.unwrap_or(input);
    // The list writes 0 where reasoning costs what other output does.
    let reasoning = price("internal_reasoning")?.filter(|price| *price > 0);
    Ok(Prices {
        input_uncached: input,
        cache_read: price("input_cache_read")?.unwrap_or(input),
        cache_write_5m: cache_write,
        cache_write_1h: cache_write,
        output_visible: output,
        output_reasoning: reasoning.unwrap_or(output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LITELLM: &str = r#"{
        "sample_spec": {"mode": "one of chat", "input_cost_per_token": 0},
        "claude-x": {
            "cache_creation_input_token_cost": 3.75e-06,
            "cache_creation_input_token_cost_above_1hr": 6e-06,
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
            "cache_creation_input_token_cost_above_200k_tokens": 7.5e-06,
            "cache_read_input_token_cost": 3e-07,
            "cache_read_input_token_cost_above_200k_tokens": 6e-07,
            "input_cost_per_token": 3e-06, "input_cost_per_token_above_200k_tokens": 6e-06,
            "litellm_provider": "anthropic", "max_input_tokens": "200000", "mode": "chat",
            "output_cost_per_token": 1.5e-05, "output_cost_per_token_above_200k_tokens": 2.25e-05
        },
        "gemini/g": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 1e-07,
            "output_cost_per_token": 4e-07, "output_cost_per_reasoning_token": 5e-07,
            "input_cost_per_token_batches": 5e-08, "output_cost_per_token_batches": 2e-07},
        "openai/none": {"litellm_provider": "openai", "mode": "chat", "max_tokens": 5},
        "embed": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-8},
        "azure/m": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1e-6,
            "output_cost_per_token": 1e-6}
    }"#;

    fn litellm() -> PriceImport {
        read_prices(LITELLM, PriceFormat::Litellm, "2026-11-20", "a file").unwrap()
    }

    #[test]
    fn litellm_prices_come_with_tiers_caches_and_batches() {
        let import = litellm();
        let [claude, gemini] = import.rows.as_slice() else { panic!("{import:?}") };
        assert_eq!(
            (claude.origin.as_str(), claude.model.as_str()),
            ("https://api.anthropic.com", "claude-x")
        );
        let prices = claude.tariff.prices;
        assert_eq!((prices.input_uncached, prices.cache_read), (3_000_000_000, 300_000_000));
        assert_eq!((prices.cache_write_5m, prices.cache_write_1h), (3_750_000_000, 6_000_000_000));
        let long = claude.tariff.for_input(200_001);
        assert_eq!((long.output_visible, long.cache_write_1h), (22_500_000_000, 12_000_000_000));
        assert_eq!(claude.tariff.date.as_deref(), Some("2026-11-20"));
        assert_eq!(gemini.model, "g");
        assert_eq!(gemini.tariff.prices.output_reasoning, 500_000_000);
        assert_eq!(gemini.tariff.batch.unwrap().output_visible, 200_000_000);
    }

    #[test]
    fn a_model_without_a_price_stays_unknown_and_is_never_free() {
        let skipped = litellm().skipped;
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert_eq!(
            (skipped[0].model.as_str(), skipped[0].why),
            ("none", "it states no price by the token")
        );
    }

    #[test]
    fn openrouter_prices_are_text_or_numbers_and_may_depend() {
        let text = r#"{"data": [
            {"id": "a/paid", "pricing": {"prompt": "0.000003", "completion": 0.000015,
                "input_cache_read": "0.0000003", "internal_reasoning": "0",
                "overrides": [{"min_prompt_tokens": 200000, "prompt": "0.000006"}]}},
            {"id": "a/free", "pricing": {"prompt": "0", "completion": "0"}},
            {"id": "a/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
            {"id": "a/night", "pricing": {"prompt": "1e-6", "completion": "1e-6",
                "overrides": [{"utc_start": "00:00", "utc_end": "08:00", "prompt": "5e-7"}]}},
            {"id": "a/fee", "pricing": {"prompt": "1e-6", "completion": "1e-6", "request": "0.01"}},
            {"id": "a/silent"}
        ]}"#;
        let import = read_prices(text, PriceFormat::Openrouter, "2026-11-20", "a list").unwrap();
        let [paid, free] = import.rows.as_slice() else { panic!("{import:?}") };
        assert_eq!(paid.tariff.for_input(199_999).input_uncached, 3_000_000_000);
        assert_eq!(paid.tariff.for_input(200_000).input_uncached, 6_000_000_000);
        assert_eq!(paid.tariff.for_input(200_000).output_reasoning, 15_000_000_000);
        assert!(free.tariff.is_free());
        let why: Vec<_> = import.skipped.iter().map(|one| (one.model.as_str(), one.why)).collect();
        assert_eq!(
            why,
            [
                ("a/auto", "its price depends on where it is routed"),
                ("a/night", "its price depends on the time of day"),
                ("a/fee", "it is billed by the request, too"),
                ("a/silent", "it states no price by the token"),
            ]
        );
    }

    #[test]
    fn another_file_is_refused() {
        let error = read_prices("[]", PriceFormat::Litellm, "2026-11-20", "x").unwrap_err();
        assert!(error.to_string().starts_with("this is not LiteLLM's price file: "), "{error}");
    }
}
