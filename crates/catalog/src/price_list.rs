use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use chat::Prices;
use document::{Diagnostics, SourceText, Span};
use serde_json::{Map, Value, json};
use values::{Origin, row_json};

use crate::tariff::{Tariff, Tier};
use crate::{parse_price, price_text};

/// The format of a row that this program knows.
const FORMAT: u64 = 1;
/// The list that comes with the program.
const BUILT_IN: &str = include_str!("../prices.jsonl");

/// What models cost at the origins that answer for them.
///
/// A price belongs to an origin: the same name at another server is another bargain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceList {
    rows: BTreeMap<(String, String), Arc<Tariff>>,
}

/// One row of a price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// The scheme, host and port that the price holds at.
    pub origin: String,
    /// The model, as that server spells it.
    pub model: String,
    /// What it costs.
    pub tariff: Tariff,
}

impl PriceList {
    /// Returns the list that comes with the program.
    pub fn built_in() -> &'static Self {
        static LIST: LazyLock<PriceList> = LazyLock::new(|| {
            let (list, _) = PriceList::read(&SourceText::new("prices.jsonl", BUILT_IN));
            list
        });
        &LIST
    }

    /// Reads rows of JSONL. A bad row is reported and left out; of two rows of one model the later
    /// counts.
    pub fn read(source: &SourceText) -> (Self, Vec<document::Diagnostic>) {
        let mut diagnostics = Diagnostics::new(source.clone());
        let mut list = Self::default();
        let mut start = 0;
        for line in source.text().split_inclusive('\n') {
            let span = Span::new(start, start + line.trim_end().len());
            start += line.len();
            if line.trim().is_empty() {
                continue;
            }
            match read_row(line) {
                Ok(row) => list.insert(row),
                Err(why) => diagnostics.error_with_hint(
                    "price-row",
                    span,
                    format!("this is no row of a price list: {why}"),
                    "`trysquare prices import` writes such rows",
                ),
            }
        }
        (list, diagnostics.into_vec())
    }

    /// Adds a row, in place of an earlier one of the same model.
    pub fn insert(&mut self, row: PriceRow) {
        self.rows.insert((row.origin, row.model), Arc::new(row.tariff));
    }

    /// Returns what a model costs at an origin; `None` is unknown.
    pub fn find(&self, origin: &str, model: &str) -> Option<&Arc<Tariff>> {
        self.rows.get(&(origin.to_owned(), model.to_owned()))
    }

    /// Returns the models of an origin with what they cost.
    pub fn of_origin(&self, origin: &str) -> BTreeMap<String, Arc<Tariff>> {
        let of_it = self.rows.iter().filter(|((place, _), _)| place == origin);
        of_it.map(|((_, model), tariff)| (model.clone(), Arc::clone(tariff))).collect()
    }

    /// Returns how many models are listed.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether no model is listed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns every row, sorted by origin and model.
    pub fn rows(&self) -> impl Iterator<Item = PriceRow> {
        self.rows.iter().map(|((origin, model), tariff)| PriceRow {
            origin: origin.clone(),
            model: model.clone(),
            tariff: Tariff::clone(tariff),
        })
    }

    /// Returns the canonical text: one row a line, sorted by origin and model.
    pub fn to_text(&self) -> String {
        self.rows().map(|row| row_json(&row_value(&row)) + "\n").collect()
    }
}

fn row_value(row: &PriceRow) -> Value {
    let tariff = &row.tariff;
    let mut value = Map::new();
    value.insert("format".to_owned(), json!(FORMAT));
    value.insert("origin".to_owned(), json!(row.origin));
    value.insert("model".to_owned(), json!(row.model));
    if let Some(date) = &tariff.date {
        value.insert("date".to_owned(), json!(date));
    }
    if let Some(source) = &tariff.source {
        value.insert("source".to_owned(), json!(source));
    }
    value.insert("usd_per_million".to_owned(), prices_value(&tariff.prices));
    if !tariff.tiers.is_empty() {
        let tiers = tariff.tiers.iter().map(|tier| {
            json!({
                "above_input_tokens": tier.above_input_tokens,
                "usd_per_million": prices_value(&tier.prices),
            })
        });
        value.insert("tiers".to_owned(), tiers.collect());
    }
    if let Some(batch) = &tariff.batch {
        value.insert("batch".to_owned(), prices_value(batch));
    }
    Value::Object(value)
}

/// The two prices that every row has, and those that differ from them.
fn prices_value(prices: &Prices) -> Value {
    let mut value = Map::new();
    let mut put = |key: &str, price, usual: Option<u64>| {
        if usual != Some(price) {
            value.insert(key.to_owned(), json!(price_text(price)));
        }
    };
    put("input", prices.input_uncached, None);
    put("cache_read", prices.cache_read, Some(prices.input_uncached));
    put("cache_write", prices.cache_write_5m, Some(prices.input_uncached));
    put("cache_write_1h", prices.cache_write_1h, Some(prices.input_uncached));
    put("output", prices.output_visible, None);
    put("reasoning", prices.output_reasoning, Some(prices.output_visible));
    Value::Object(value)
}

fn read_row(line: &str) -> Result<PriceRow, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let row = value.as_object().ok_or("it is no object")?;
    match row.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => return Err(format!("its format {newer} is newer")),
        _ => return Err("`format` must be 1".to_owned()),
    }
    let text = |key: &str| {
        let found = row.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        found.map(str::to_owned)
    };
    let origin = text("origin").ok_or("`origin` is missing")?;
    let origin = Origin::of_url(&origin).map_err(|error| error.to_string())?.to_string();
    let date = text("date");
    if date.as_deref().is_some_and(|date| !is_date(date)) {
        return Err("`date` must be a day, as 2026-11-20".to_owned());
    }
    let listed = row.get("tiers").map_or(Ok([].as_slice()), |tiers| {
        tiers.as_array().map(Vec::as_slice).ok_or("`tiers` must be a list")
    })?;
    let mut tiers = Vec::with_capacity(listed.len());
    for tier in listed {
        let above = tier.get("above_input_tokens").and_then(Value::as_u64);
        tiers.push(Tier {
            above_input_tokens: above.ok_or("a tier needs `above_input_tokens`")?,
            prices: read_prices(tier.get("usd_per_million"))?,
        });
    }
    tiers.sort_by_key(|tier| tier.above_input_tokens);
    let batch = row.get("batch").map(|batch| read_prices(Some(batch))).transpose()?;
    let prices = read_prices(row.get("usd_per_million"))?;
    let model = text("model").ok_or("`model` is missing")?;
    let source = text("source");
    Ok(PriceRow { origin, model, tariff: Tariff { prices, tiers, batch, date, source } })
}

fn read_prices(value: Option<&Value>) -> Result<Prices, String> {
    let given = value.and_then(Value::as_object).ok_or("`usd_per_million` is missing")?;
    let known = ["input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning"];
    if let Some(other) = given.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("`{other}` is not billed by tokens here"));
    }
    let price = |key: &str| match given.get(key) {
        None => Ok(None),
        Some(value) => {
            value.as_str().and_then(|text| parse_price(text).ok()).map(Some).ok_or_else(|| {
                format!("`{key}` must be dollars in quotes, with at most nine decimals")
            })
        }
    };
    let input = price("input")?.ok_or("`input` is missing")?;
    let output = price("output")?.ok_or("`output` is missing")?;
    Ok(Prices {
        input_uncached: input,
        cache_read: price("cache_read")?.unwrap_or(input),
        cache_write_5m: price("cache_write")?.unwrap_or(input),
        cache_write_1h: price("cache_write_1h")?.unwrap_or(input),
        output_visible: output,
        output_reasoning: price("reasoning")?.unwrap_or(output),
    })
}

/// Tells whether a text is a day as `2026-11-20`.
pub(crate) fn is_date(text: &str) -> bool {
    let shape = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = concat!(
        r#"{"format":1,"origin":"https://a.example","model":"m","date":"2026-11-20","#,
        r#""source":"the vendor's page","usd_per_million":{"input":"3","cache_read":"0.3","#,
        r#""cache_write":"3.75","cache_write_1h":"6","output":"15"},"tiers":[{"#,
        r#""above_input_tokens":200000,"usd_per_million":{"input":"6","output":"22.5"}}],"#,
        r#""batch":{"input":"1.5","output":"7.5"}}"#,
    );

    fn read(text: &str) -> (PriceList, Vec<document::Diagnostic>) {
        PriceList::read(&SourceText::new("prices.jsonl", text))
    }

    #[test]
    fn a_row_reads_back_byte_for_byte() {
        let text = format!("{ROW}\n");
        let (list, found) = read(&text);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(list.to_text(), text);
        let tariff = list.find("https://a.example", "m").unwrap();
        assert_eq!(tariff.prices.cache_read, 300_000_000);
        assert_eq!(tariff.tiers[0].prices.cache_read, 6_000_000_000);
        assert_eq!(tariff.batch.unwrap().output_reasoning, 7_500_000_000);
    }

    #[test]
    fn a_price_holds_only_at_its_origin() {
        let (list, _) = read(ROW);
        assert_eq!(list.find("https://b.example", "m"), None);
        assert!(list.of_origin("https://b.example").is_empty());
        assert_eq!(list.of_origin("https://a.example").len(), 1);
    }

    #[test]
    fn a_bad_row_costs_only_itself_and_says_where_and_why() {
        let newer = ROW.replace("\"format\":1", "\"format\":2");
        let number = ROW.replace("\"3\"", "3");
        let date = ROW.replace("2026-11-20", "20.11.2026");
        let image = ROW.replace("\"output\":\"15\"", "\"output\":\"15\",\"image\":\"1\"");
        let (list, found) = read(&format!("{newer}\n{number}\n\n{date}\n{image}\n{ROW}\n"));
        assert_eq!(list.len(), 1);
        let said: Vec<_> = found.iter().map(|one| one.message.as_str()).collect();
        assert!(said[0].ends_with("its format 2 is newer"), "{said:?}");
        assert!(said[1].contains("`input` must be dollars in quotes"), "{said:?}");
        assert!(said[2].contains("`date` must be a day"), "{said:?}");
        assert!(said[3].contains("`image` is not billed by tokens here"), "{said:?}");
        assert_eq!(said.len(), 4);
    }

    #[test]
    fn the_list_of_the_program_is_sound_and_canonical() {
        let (list, found) = read(BUILT_IN);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(list.to_text(), BUILT_IN, "sorted, and written as the program writes it");
        for row in list.rows() {
            assert!(row.tariff.date.is_some() && row.tariff.source.is_some(), "{}", row.model);
            assert!(!row.tariff.is_free(), "{}: what is free is not listed", row.model);
        }
    }
}
