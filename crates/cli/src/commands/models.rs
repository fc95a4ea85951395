//! `trysquare models`

use app::{AppError, ModelView, ProviderView};
use chat::Prices;
use values::NanoDollars;

use super::Context;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::table::{self, Align};

/// Lists providers and models, and what is known of them.
pub(crate) fn models(context: &Context<'_>) -> Result<Exit, AppError> {
    let providers = context.app.models(context.folder())?;
    context.output.many(&providers, shown);
    Ok(Exit::Complete)
}

fn shown(providers: &[ProviderView]) -> String {
    let head = ["provider", "protocol", "where", "key", "model", "$ per million tokens", "file"]
        .map(|title| (title, Align::Left));
    let rows: Vec<Vec<String>> = providers.iter().flat_map(rows).collect();
    let mut out = table::render(&head, &rows);
    let used: Vec<String> = providers
        .iter()
        .filter(|provider| provider.is_used)
        .map(|provider| printable(&provider.name))
        .collect();
    out += &match used.as_slice() {
        [] => "\nNo prompt of this project names a model of these yet; a prompt says `model: \
               PROVIDER/MODEL`.\n"
            .to_owned(),
        used => format!("\nPrompts of this project use {}.\n", used.join(", ")),
    };
    out + "Models that are not listed can be used too; prices for them go into trysquare.yaml.\n"
}

/// One row for each model; a provider of which no model is known has one, too.
fn rows(provider: &ProviderView) -> Vec<Vec<String>> {
    let key = match &provider.key {
        None => "–".to_owned(),
        Some(key) if provider.has_key => printable(key),
        Some(key) => format!("{} (not set)", printable(key)),
    };
    let place = provider.base_url.as_deref().map_or("in this program".to_owned(), printable);
    let common = vec![printable(&provider.name), provider.protocol.to_string(), place, key];
    if provider.models.is_empty() {
        let nothing = ["any", "unknown", ""].map(str::to_owned);
        return vec![common.into_iter().chain(nothing).collect()];
    }
    let of_model = |model: &ModelView| {
        let file = match model.has_file {
            None => "",
            Some(true) => "present",
            Some(false) => "missing",
        };
        let known = [printable(&model.name), price(model), file.to_owned()];
        common.clone().into_iter().chain(known).collect()
    };
    provider.models.iter().map(of_model).collect()
}

/// What nobody stated is unknown; only what is known to cost nothing is free. A price comes with its
/// day and its source.
fn price(model: &ModelView) -> String {
    let Some(tariff) = &model.tariff else { return "unknown".to_owned() };
    if tariff.is_free() {
        return "free".to_owned();
    }
    let dollars = |nano: u64| NanoDollars::new(i64::try_from(nano).unwrap_or(i64::MAX));
    let Prices { input_uncached, output_visible, .. } = tariff.prices;
    let source = [tariff.date.as_deref(), tariff.source.as_deref()];
    let source: Vec<_> = source.into_iter().flatten().map(printable).collect();
    let source =
        if source.is_empty() { String::new() } else { format!(" ({})", source.join(", ")) };
    format!("{} in, {} out{source}", dollars(input_uncached), dollars(output_visible))
}

#[cfg(test)]
mod tests {
    use app::Tariff;

    use super::*;

    fn model(tariff: Option<Tariff>) -> ModelView {
        ModelView {
            name: "m".to_owned(),
            tariff,
            context_tokens: None,
            max_output_tokens: None,
            has_file: None,
        }
    }

    #[test]
    fn unknown_free_and_priced_are_three_things() {
        assert_eq!(price(&model(None)), "unknown");
        assert_eq!(price(&model(Some(Tariff::default()))), "free");
        let prices = Prices {
            input_uncached: 250_000_000,
            output_visible: 2_000_000_000,
            ..Prices::default()
        };
        let date = Some("2026-11-20".to_owned());
        let tariff = Tariff { date, source: Some("a page".to_owned()), ..Tariff::of(prices) };
        assert_eq!(price(&model(Some(tariff))), "$0.25 in, $2.00 out (2026-11-20, a page)");
    }
}
