use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chat::Protocol;
use document::yaml::{Entry, Node, Yaml};
use document::{Diagnostics, Fields, Span};
use values::Origin;

use crate::builtin::{built_in_providers, new_provider};
use crate::read_prices::{read_date, read_tariff};
use crate::{
    HeaderRefusal, MaxTokensParameter, ModelFacts, ProviderSettings, Tariff, Timeouts,
    header_refusal,
};

/// The source of a price for which the project names none.
const STATED: &str = "trysquare.yaml";

/// Reads the mapping `providers` of `trysquare.yaml` and adds it to the built-in ones.
///
/// A declaration under a built-in name changes what it states and keeps the rest. Whatever is wrong
/// is reported, and that provider is left out.
pub fn read_providers(
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, ProviderSettings> {
    let mut providers = built_in_providers();
    let Some(entries) = node.entries() else {
        if node.value != Yaml::Null {
            let message = format!("`providers` must be a mapping, found {}", node.kind());
            diagnostics.error("wrong-kind", node.span, message);
        }
        return providers;
    };
    for entry in entries {
        let known = providers.remove(&entry.key);
        if entry.key.contains('/') {
            let message = format!("the provider name `{}` must not contain a slash", entry.key);
            diagnostics.error("provider-name", entry.key_span, message);
        } else if let Some(provider) = read_provider(entry, known, diagnostics) {
            providers.insert(entry.key.clone(), provider);
        }
    }
    providers
}

fn read_provider(
    entry: &Entry,
    known: Option<ProviderSettings>,
    diagnostics: &mut Diagnostics,
) -> Option<ProviderSettings> {
    let place = format!("the provider `{}`", entry.key);
    let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
    let mut provider = match (fields.get("protocol"), known) {
        (Some(node), known) => {
            let protocol = read_protocol(node, diagnostics)?;
            known
                .filter(|known| known.protocol == protocol)
                .unwrap_or_else(|| new_provider(&entry.key, protocol, None, None))
        }
        (None, Some(known)) => known,
        (None, None) => {
            let message = format!("{place} needs the key `protocol`");
            diagnostics.error_with_hint("missing-key", entry.key_span, message, protocols());
            return None;
        }
    };
    let before = diagnostics.errors();
    if let Some(url) = fields.get("base_url") {
        provider.base_url = read_base_url(url, diagnostics);
    } else if provider.base_url.is_none() && provider.protocol != Protocol::Embedded {
        let message = format!("{place} needs the key `base_url`");
        diagnostics.error("missing-key", entry.key_span, message);
    }
    if let Some(key) = fields.text("key", diagnostics) {
        provider.key = Some(key.to_owned());
    }
    read_headers(&mut fields, &mut provider, diagnostics);
    read_limits(&mut fields, &mut provider, diagnostics);
    if let Some(stream) = fields.bool("stream", diagnostics) {
        provider.stream = stream;
    }
    read_max_tokens(&mut fields, &mut provider, diagnostics);
    for model in fields.mapping("models", diagnostics).unwrap_or_default() {
        if let Some(facts) = read_model(model, diagnostics) {
            provider.models.insert(model.key.clone(), facts);
        }
    }
    let sound = diagnostics.errors() == before;
    fields.warn_unknown(diagnostics);
    sound.then_some(provider)
}

fn read_protocol(node: &Node, diagnostics: &mut Diagnostics) -> Option<Protocol> {
    let found = node.as_str().and_then(Protocol::parse);
    let found = found
        .filter(|protocol| !matches!(protocol, Protocol::HttpTarget | Protocol::ProgramTarget));
    if found.is_none() {
        let message = "this is not a protocol";
        diagnostics.error_with_hint("unknown-protocol", node.span, message, protocols());
    }
    found
}

fn protocols() -> String {
    let names = Protocol::ALL
        .into_iter()
        .filter(|protocol| !matches!(protocol, Protocol::HttpTarget | Protocol::ProgramTarget))
        .map(Protocol::as_str);
    format!("one of {}", names.collect::<Vec<_>>().join(", "))
}

fn read_base_url(node: &Node, diagnostics: &mut Diagnostics) -> Option<String> {
    let Some(text) = node.as_str() else {
        let message = format!("`base_url` must be text, found {}", node.kind());
        diagnostics.error("wrong-kind", node.span, message);
        return None;
    };
    if let Err(error) = Origin::of_url(text) {
        diagnostics.error("bad-url", node.span, error.to_string());
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// Reports a header that may not stand in a file; tells whether there was reason to.
///
/// `value` is what stands there as text, the empty text if it is of another kind.
pub fn refuse_header(name: &str, value: &str, span: Span, diagnostics: &mut Diagnostics) -> bool {
    match header_refusal(name, value) {
        None => return false,
        Some(HeaderRefusal::Credential) => diagnostics.error_with_hint(
            "secret-header",
            span,
            format!("the header `{name}` carries a secret and does not belong in a file"),
            "name a key with `key: NAME`, and store it with `trysquare key set NAME`",
        ),
        Some(HeaderRefusal::Own) => diagnostics.error(
            "own-header",
            span,
            format!("the header `{name}` is set by the client itself"),
        ),
    }
    true
}

fn read_headers(
    fields: &mut Fields<'_>,
    provider: &mut ProviderSettings,
    diagnostics: &mut Diagnostics,
) {
    for header in fields.mapping("headers", diagnostics).unwrap_or_default() {
        let text = header.value.as_str().unwrap_or_default();
        if refuse_header(&header.key, text, header.key_span, diagnostics) {
            continue;
        }
        if let Some(text) = header.value.as_str() {
            provider.headers.insert(header.key.clone(), text.to_owned());
        } else {
            let message = format!("a header must be text, found {}", header.value.kind());
            diagnostics.error("wrong-kind", header.value.span, message);
        }
    }
}

fn read_limits(
    fields: &mut Fields<'_>,
    provider: &mut ProviderSettings,
    diagnostics: &mut Diagnostics,
) {
    if let Some(count) = read_count(fields, "concurrency", 4_096, diagnostics) {
        provider.concurrency = count;
    }
    if let Some(count) = read_count(fields, "requests_per_minute", 1_000_000, diagnostics) {
        provider.requests_per_minute = Some(count);
    }
    let Some(node) = fields.get("timeouts") else { return };
    let Some(mut timeouts) = Fields::open(node, "`timeouts`", diagnostics) else { return };
    let Timeouts { connect_ms, first_token_ms, total_ms } = &mut provider.timeouts;
    let places =
        [("connect_s", connect_ms), ("first_token_s", first_token_ms), ("total_s", total_ms)];
    for (key, place) in places {
        if let Some(seconds) = timeouts.count(key, diagnostics) {
            *place = seconds.saturating_mul(1_000);
        }
    }
    timeouts.warn_unknown(diagnostics);
}

/// Reads a whole number from 1 to `most`.
fn read_count(
    fields: &mut Fields<'_>,
    key: &'static str,
    most: u32,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroU32> {
    let node = fields.get(key)?;
    let count = if let Yaml::Number(number) = &node.value { number.as_u64() } else { None };
    let count = count.and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new);
    let count = count.filter(|count| count.get() <= most);
    if count.is_none() {
        let message = format!("`{key}` must be a whole number from 1 to {most}");
        diagnostics.error("bad-number", node.span, message);
    }
    count
}

fn read_max_tokens(
    fields: &mut Fields<'_>,
    provider: &mut ProviderSettings,
    diagnostics: &mut Diagnostics,
) {
    if let Some(most) = fields.count("default_max_output_tokens", diagnostics) {
        provider.default_max_output_tokens = most;
    }
    let Some(node) = fields.get("max_tokens_parameter") else { return };
    match node.as_str() {
        Some("max_tokens") => provider.max_tokens_parameter = MaxTokensParameter::MaxTokens,
        Some("max_completion_tokens") => {
            provider.max_tokens_parameter = MaxTokensParameter::MaxCompletionTokens;
        }
        _ => diagnostics.error(
            "bad-value",
            node.span,
            "`max_tokens_parameter` must be max_tokens or max_completion_tokens",
        ),
    }
}

fn read_model(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<ModelFacts> {
    let place = format!("the model `{}`", entry.key);
    let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
    let mut facts = ModelFacts {
        context_tokens: fields.count("context_tokens", diagnostics),
        max_output_tokens: fields.count("max_output_tokens", diagnostics),
        file: fields.text("file", diagnostics).map(str::to_owned),
        ..ModelFacts::default()
    };
    if let Some(node) = fields.get("sha256") {
        facts.sha256 = node.as_str().and_then(|text| text.parse().ok());
        if facts.sha256.is_none() {
            diagnostics.error("bad-hash", node.span, "`sha256` must be 64 lower-case hex digits");
        }
    }
    let source = fields.text("price_source", diagnostics).map(str::to_owned);
    let date = fields.get("price_date").and_then(|node| read_date(node, diagnostics));
    if let Some(node) = fields.get("prices") {
        let tariff = read_tariff(node, diagnostics);
        let source = source.unwrap_or_else(|| STATED.to_owned());
        facts.tariff = tariff.map(|tariff| Tariff { date, source: Some(source), ..tariff });
    }
    fields.warn_unknown(diagnostics);
    Some(facts)
}

#[cfg(test)]
mod tests {
    use document::{SourceText, yaml};

    use super::*;

    fn read(text: &str) -> (BTreeMap<String, ProviderSettings>, Vec<document::Diagnostic>) {
        let mut diagnostics = Diagnostics::new(SourceText::new("trysquare.yaml", text));
        let node = yaml::parse(Span::new(0, text.len()), &mut diagnostics).unwrap();
        let providers = read_providers(&node, &mut diagnostics);
        (providers, diagnostics.into_vec())
    }

    #[test]
    fn a_provider_with_prices_is_read() {
        let (providers, found) = read(concat!(
            "desk:\n  protocol: openai-chat\n  base_url: http://127.0.0.1:8080/v1/\n",
            "  concurrency: 256\n  requests_per_minute: 500\n  models:\n    m:\n      max_output_tokens: 100\n",
            "      prices: {input: 3, output: 15.5, cache_read: 0.3}\n",
        ));
        assert!(found.is_empty(), "{found:?}");
        let desk = &providers["desk"];
        assert_eq!(desk.base_url.as_deref(), Some("http://127.0.0.1:8080/v1"));
        assert_eq!((desk.concurrency.get(), desk.requests_per_minute.unwrap().get()), (256, 500));
        let prices = desk.tariff("m").unwrap().prices;
        assert_eq!((prices.cache_read, prices.cache_write_1h), (300_000_000, 3_000_000_000));
        assert_eq!(prices.output_reasoning, 15_500_000_000);
        assert_eq!(desk.tariff("n"), None);
        assert_eq!(desk.max_output_tokens("m", Some(500)), 100);
        assert_eq!(desk.max_output_tokens("n", None), 4_096);
    }

    #[test]
    fn tiers_batch_date_and_source_are_read() {
        let (providers, found) = read(concat!(
            "openai:\n  models:\n    m:\n      price_date: \"2026-11-20\"\n",
            "      price_source: the vendor's page\n      prices:\n        input: 3\n        output: 15\n",
            "        tiers: [{above_input_tokens: 200000, input: 6, output: 22.5}]\n",
            "        batch: {input: 1.5, output: 7.5}\n",
        ));
        assert!(found.is_empty(), "{found:?}");
        let tariff = providers["openai"].tariff("m").unwrap();
        assert_eq!(tariff.for_input(200_000).input_uncached, 3_000_000_000);
        assert_eq!(tariff.for_input(200_001).output_visible, 22_500_000_000);
        assert_eq!(tariff.batch.unwrap().input_uncached, 1_500_000_000);
        let said = (tariff.date.as_deref(), tariff.source.as_deref());
        assert_eq!(said, (Some("2026-11-20"), Some("the vendor's page")));
    }

    #[test]
    fn a_price_in_the_project_goes_before_the_lists_and_later_lists_before_earlier() {
        let list = |price: &str| {
            let row = |model| {
                format!(
                    r#"{{"format":1,"origin":"https://api.openai.com","model":"{model}","usd_per_million":{{"input":"{price}","output":"1"}}}}"#
                )
            };
            let text = format!("{}\n{}\n", row("m"), row("n"));
            crate::PriceList::read(&SourceText::new("prices.jsonl", text)).0
        };
        let (mut providers, _) = read("openai: {models: {m: {prices: {input: 7, output: 1}}}}\n");
        let openai = providers.get_mut("openai").unwrap();
        openai.take_prices(&[&list("1"), &list("2")]);
        let price = |model| openai.tariff(model).map(|tariff| tariff.prices.input_uncached);
        assert_eq!(price("m"), Some(7_000_000_000));
        assert_eq!(price("n"), Some(2_000_000_000));
        assert_eq!(price("o"), None);
    }

    #[test]
    fn the_smallest_price_is_read_exactly() {
        let (providers, found) =
            read("openai: {models: {m: {prices: {input: 0.000000001, output: 0.00000002}}}}\n");
        assert!(found.is_empty(), "{found:?}");
        let prices = providers["openai"].tariff("m").unwrap().prices;
        assert_eq!((prices.input_uncached, prices.output_visible), (1, 20));
    }

    #[test]
    fn a_built_in_provider_keeps_what_is_not_stated() {
        let (providers, found) = read("openai:\n  concurrency: 2\n");
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(providers["openai"].key.as_deref(), Some("openai"));
        assert_eq!(providers["openai"].concurrency.get(), 2);
    }

    #[test]
    fn an_unknown_key_costs_no_provider() {
        let (providers, found) = read(concat!(
            "desk:\n  protocol: ollama\n  base_url: http://127.0.0.1:1\n  colour: red\n",
            "  timeouts: {fist_token_s: 3}\n",
            "  models: {m: {contxt_tokens: 5, prices: {input: 1, output: 2, note: x}}}\n",
        ));
        let codes: Vec<_> = found.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["unknown-key"; 4]);
        assert_eq!(providers["desk"].tariff("m").unwrap().prices.output_visible, 2_000_000_000);
    }

    #[test]
    fn wrong_settings_are_named_with_their_place() {
        let (providers, found) = read(concat!(
            "a:\n  protocol: openai\n",
            "b:\n  protocol: ollama\n  base_url: ftp://x\n",
            "c:\n  protocol: ollama\n  base_url: http://x\n  headers: {Authorization: abc}\n",
            "e:\n  protocol: ollama\n  base_url: http://x\n  requests_per_minute: 0\n",
            "d:\n  protocol: ollama\n  base_url: http://x\n  models: {m: {prices: {input: -1, output: 1}}}\n",
        ));
        let codes: Vec<_> = found.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(
            codes,
            ["unknown-protocol", "bad-url", "secret-header", "bad-number", "bad-price"]
        );
        assert!(["a", "b", "c", "d", "e"].iter().all(|name| !providers.contains_key(*name)));
    }
}
