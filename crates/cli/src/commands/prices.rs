//! `trysquare prices`

use app::{AppError, PriceFormat, PriceView, PricesImported, PricesRequest, Tariff};
use chat::Prices;
use values::NanoDollars;

use super::Context;
use crate::args::{ImportPrices, Prices as Args, PricesCommand, PricesFrom};
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::table::{self, Align};

/// Shows what models cost, or takes prices over.
pub(crate) fn prices(context: &Context<'_>, args: &Args) -> Result<Exit, AppError> {
    if let Some(PricesCommand::Import(import)) = &args.command {
        return take_over(context, import);
    }
    let views = context.app.prices(context.folder(), args.all)?;
    context.output.many(&views, shown);
    Ok(Exit::Complete)
}

fn take_over(context: &Context<'_>, args: &ImportPrices) -> Result<Exit, AppError> {
    let request = PricesRequest {
        file: args.file.clone(),
        format: match args.from {
            PricesFrom::Litellm => PriceFormat::Litellm,
            PricesFrom::Openrouter => PriceFormat::Openrouter,
        },
        all: args.all,
    };
    let imported = context.app.import_prices(context.folder(), &request)?;
    context.output.one(&imported, imported_text);
    Ok(Exit::Complete)
}

fn imported_text(imported: &PricesImported) -> String {
    let mut out = format!(
        "{}: wrote the prices of {}\n",
        imported.file,
        counted(imported.written.len(), "model")
    );
    for (model, why) in &imported.unknown {
        out += &format!("{} stays as it was: {why}\n", printable(model));
    }
    if imported.others > 0 {
        let others = counted(imported.others, "model");
        out += &format!("{others} that this project does not use left out; --all takes them all\n");
    }
    out
}

fn shown(views: &[PriceView]) -> String {
    if views.is_empty() {
        return "No prompt, judge or variant of this project names a model yet.\n".to_owned();
    }
    let head = [
        ("model", Align::Left),
        ("input", Align::Right),
        ("cache read", Align::Right),
        ("cache write", Align::Right),
        ("output", Align::Right),
        ("as of", Align::Left),
        ("source", Align::Left),
    ];
    let rows: Vec<_> = views.iter().flat_map(rows).collect();
    let mut out = table::render(&head, &rows);
    out += "\nDollars per million tokens.";
    if views.iter().any(|view| view.tariff.is_none()) {
        out += " A price that is unknown can be stated in trysquare.yaml, or taken over with\n\
                `trysquare prices import`.";
    }
    out + "\n"
}

/// The usual price, and one more row for each tier and for batches.
fn rows(view: &PriceView) -> Vec<Vec<String>> {
    let model = printable(&view.model);
    let Some(tariff) = &view.tariff else { return vec![row(model, "unknown", None, "", "")] };
    if let Some(why) = view.free_because {
        return vec![row(model, "free", None, "", why)];
    }
    let Tariff { prices, tiers, batch, date, source } = tariff;
    let (date, source) = (date.as_deref().unwrap_or_default(), source.as_deref());
    let mut rows = vec![row(model, "", Some(prices), date, source.unwrap_or_default())];
    for tier in tiers {
        let above = format!("  above {} input tokens", tier.above_input_tokens);
        rows.push(row(above, "", Some(&tier.prices), "", ""));
    }
    if let Some(batch) = batch {
        rows.push(row("  as a batch".to_owned(), "", Some(batch), "", ""));
    }
    rows
}

fn row(name: String, word: &str, prices: Option<&Prices>, date: &str, source: &str) -> Vec<String> {
    let dollars = |pick: fn(&Prices) -> u64| {
        let amount = |nano| NanoDollars::new(i64::try_from(nano).unwrap_or(i64::MAX)).to_string();
        prices.map_or_else(String::new, |prices| amount(pick(prices)))
    };
    let input = if prices.is_some() { dollars(|one| one.input_uncached) } else { word.to_owned() };
    vec![
        name,
        input,
        dollars(|one| one.cache_read),
        dollars(|one| one.cache_write_5m),
        dollars(|one| one.output_visible),
        date.to_owned(),
        printable(source),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_free_and_priced_are_three_things_and_a_price_has_its_source() {
        let view = |model: &str, tariff, free_because| PriceView {
            model: model.to_owned(),
            origin: None,
            tariff,
            free_because,
        };
        let tariff = Tariff {
            date: Some("2026-11-20".to_owned()),
            source: Some("a page".to_owned()),
            ..Tariff::of(Prices { input_uncached: 250_000_000, ..Prices::default() })
        };
        let views = [
            view("a/paid", Some(tariff), None),
            view("a/new", None, None),
            view("embedded/m", Some(Tariff::default()), Some("it runs here")),
        ];
        let text = shown(&views);
        assert!(text.contains("$0.25") && text.contains("2026-11-20  a page"), "{text}");
        assert!(text.contains("unknown") && text.contains("it runs here"), "{text}");
    }
}
