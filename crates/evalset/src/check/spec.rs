use chat::FinishReason;
use document::Span;
use serde_json::{Map, Value, json};
use values::{ContentHash, NanoDollars};

use super::CHECK_HASH_TAG;
use super::compiled::{JsonPath, Pattern, Schema};
use super::template::{JsonTemplate, Placeholder, TextList, TextTemplate};

/// One check of an eval set.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckSpec {
    /// The check's name, unique in its set.
    pub name: String,
    /// The place of the name, for messages about it.
    pub name_span: Span,
    /// The criterion that it serves; its own name unless it says otherwise.
    pub criterion: String,
    /// How much it counts in a weighted criterion, more than 0.
    pub weight: f64,
    /// What it asks.
    pub test: Test,
}

/// What a check, or a member of a group, asks of an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Passes where the test fails, and the other way round.
    pub negated: bool,
    /// What it looks at.
    pub part: Part,
    /// The share from which a measured number passes; without it the number is the result.
    pub threshold: Option<f64>,
    /// The question.
    pub kind: Kind,
    /// The bytes of the whole test.
    pub span: Span,
}

/// The part of the output that a test looks at.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// What a JSON path selects: text as it is, anything else as compact JSON, several as a list.
    JsonPath(JsonPath),
    /// A group of the first match of a pattern; group 0 is the whole match.
    Regex {
        /// The pattern.
        pattern: Pattern,
        /// The group's number.
        group: usize,
    },
}

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Equality {
    /// Upper and lower case are the same.
    pub ignore_case: bool,
    /// White space at the ends does not count, and any run of it inside is one space.
    pub ignore_space: bool,
}

/// Bounds of a count, inclusive; at least one is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: Option<u64>,
    /// The most.
    pub max: Option<u64>,
}

/// What a length counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LengthUnit {
    /// Unicode characters (scalar values).
    #[default]
    Characters,
    /// Bytes of UTF-8.
    Bytes,
    /// Lines, an empty text having none.
    Lines,
}

/// A measured likeness of two texts, a share in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Twice the characters in common over all characters.
    Similarity,
    /// The F1 of the longest common subsequence of words.
    RougeL,
}

/// How the tests of a group combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// All must pass.
    All,
    /// One is enough.
    Any,
}

/// The finish reasons that pass, at least one.
pub type FinishReasons = Vec<FinishReason>;

/// The question that a test asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// The output is this text.
    Equals {
        /// The text.
        value: TextTemplate,
        /// How it is compared.
        equality: Equality,
    },
    /// The output contains these texts.
    Contains {
        /// The texts.
        values: TextList,
        /// Whether all must occur or one is enough.
        combination: Combination,
        /// Upper and lower case are the same.
        ignore_case: bool,
    },
    /// The output contains none of these texts.
    NotContains {
        /// The texts.
        values: TextList,
        /// Upper and lower case are the same.
        ignore_case: bool,
    },
    /// The output starts with this text.
    StartsWith {
        /// The text.
        value: TextTemplate,
        /// Upper and lower case are the same.
        ignore_case: bool,
    },
    /// The pattern matches somewhere in the output.
    Regex {
        /// The pattern.
        pattern: Pattern,
    },
    /// The output is one of these texts.
    OneOf {
        /// The texts.
        values: TextList,
        /// How they are compared.
        equality: Equality,
    },
    /// The output is a number near this one.
    Number {
        /// The number, or a text that is one in every case.
        value: JsonTemplate,
        /// How far it may be off.
        tolerance: f64,
        /// How far it may be off, as a share of the expected number; the larger of both counts.
        relative_tolerance: f64,
    },
    /// The output is JSON.
    JsonValid,
    /// The output is JSON of this schema.
    JsonSchema {
        /// The schema.
        schema: Schema,
    },
    /// The output is JSON, and the path selects exactly one value, which equals this one.
    JsonPathEquals {
        /// The path.
        path: JsonPath,
        /// The value.
        value: JsonTemplate,
    },
    /// The output is JSON that equals this value; the order of keys never counts.
    JsonEquals {
        /// The value.
        value: JsonTemplate,
        /// The order of lists does not count either.
        ignore_order: bool,
    },
    /// How like this text the output is.
    Likeness {
        /// The measure.
        measure: Measure,
        /// The text.
        value: TextTemplate,
    },
    /// How few edits lie between the output and this text.
    Levenshtein {
        /// The text.
        value: TextTemplate,
        /// The most edits that pass; without it the result is 1 − edits / length of the longer.
        max: Option<u64>,
    },
    /// The number of words.
    WordCount {
        /// The bounds.
        range: Range,
    },
    /// The length.
    Length {
        /// The bounds.
        range: Range,
        /// What is counted.
        unit: LengthUnit,
    },
    /// The model declined.
    Refusal {
        /// Openings by which a refusal in plain text is known; `None` for the built-in English ones.
        phrases: Option<Vec<String>>,
    },
    /// The model stopped for one of these reasons.
    FinishReason {
        /// The reasons.
        values: FinishReasons,
    },
    /// The answer took at most this long.
    Latency {
        /// Milliseconds.
        max_ms: u64,
    },
    /// The answer cost at most this much.
    Cost {
        /// The amount.
        max: NanoDollars,
    },
    /// The model asks for this tool.
    ToolCall {
        /// The tool's name.
        tool: String,
        /// The arguments, compared as JSON; any if absent.
        arguments: Option<JsonTemplate>,
        /// The model must ask for nothing else.
        only: bool,
    },
    /// A program that the project declares decides.
    Program {
        /// The program's name in `trysquare.yaml`.
        program: String,
        /// The place of the name.
        program_span: Span,
        /// Anything that the program is to be told.
        options: Option<JsonTemplate>,
    },
    /// Other tests decide together.
    Group {
        /// How.
        combination: Combination,
        /// The tests, at least one.
        tests: Vec<Test>,
    },
}

impl Kind {
    /// Returns the word for this kind in `evalset.yaml`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Equals { .. } => "equals",
            Self::Contains { .. } => "contains",
            Self::NotContains { .. } => "not_contains",
            Self::StartsWith { .. } => "starts_with",
            Self::Regex { .. } => "regex",
            Self::OneOf { .. } => "one_of",
            Self::Number { .. } => "number",
            Self::JsonValid => "json_valid",
            Self::JsonSchema { .. } => "json_schema",
            Self::JsonPathEquals { .. } => "json_path_equals",
            Self::JsonEquals { .. } => "json_equals",
            Self::Likeness { measure: Measure::Similarity, .. } => "similarity",
            Self::Likeness { measure: Measure::RougeL, .. } => "rouge_l",
            Self::Levenshtein { .. } => "levenshtein",
            Self::WordCount { .. } => "word_count",
            Self::Length { .. } => "length",
            Self::Refusal { .. } => "refusal",
            Self::FinishReason { .. } => "finish_reason",
            Self::Latency { .. } => "latency",
            Self::Cost { .. } => "cost",
            Self::ToolCall { .. } => "tool_call",
            Self::Program { .. } => "program",
            Self::Group { combination: Combination::All, .. } => "all_of",
            Self::Group { combination: Combination::Any, .. } => "any_of",
        }
    }

    /// Returns what this kind asks, key by key; what has its default is left out, so that a new option
    /// leaves the hashes of old checks as they are.
    fn described(&self) -> Vec<(&'static str, Value)> {
        let mut keys = self.described_values();
        keys.extend(self.described_switches());
        keys
    }

    fn described_values(&self) -> Vec<(&'static str, Value)> {
        let optional = |key, value: Option<Value>| value.map(|value| (key, value));
        match self {
            Self::Equals { value, .. }
            | Self::StartsWith { value, .. }
            | Self::Likeness { value, .. } => vec![("value", value.source().into())],
            Self::Contains { values, .. }
            | Self::NotContains { values, .. }
            | Self::OneOf { values, .. } => vec![("values", values.to_json())],
            Self::Number { value, .. } | Self::JsonEquals { value, .. } => {
                vec![("value", value.source().clone())]
            }
            Self::Regex { pattern } => vec![("pattern", pattern.source().into())],
            Self::JsonSchema { schema } => vec![("schema", schema.source().clone())],
            Self::JsonPathEquals { path, value } => {
                vec![("path", path.source().into()), ("value", value.source().clone())]
            }
            Self::Levenshtein { value, max } => {
                let max = optional("max", max.map(Value::from));
                std::iter::once(("value", value.source().into())).chain(max).collect()
            }
            Self::WordCount { range } | Self::Length { range, .. } => {
                let bounds = [("min", range.min), ("max", range.max)];
                bounds.into_iter().filter_map(|(key, bound)| Some((key, bound?.into()))).collect()
            }
            Self::Refusal { phrases } => {
                let phrases = phrases.as_ref().map(|phrases| phrases.as_slice().into());
                optional("phrases", phrases).into_iter().collect()
            }
            Self::FinishReason { values } => vec![("values", json!(values))],
            Self::Latency { max_ms } => vec![("max_ms", (*max_ms).into())],
            Self::Cost { max } => vec![("max_nano_dollars", max.get().into())],
            Self::ToolCall { tool, arguments, .. } => {
                let arguments = arguments.as_ref().map(|arguments| arguments.source().clone());
                let arguments = optional("arguments", arguments);
                std::iter::once(("tool", tool.as_str().into())).chain(arguments).collect()
            }
            Self::Program { program, options, .. } => {
                let options = options.as_ref().map(|options| options.source().clone());
                let options = optional("options", options);
                std::iter::once(("program", program.as_str().into())).chain(options).collect()
            }
            Self::Group { tests, .. } => {
                vec![("checks", tests.iter().map(Test::meaning).collect())]
            }
            Self::JsonValid => Vec::new(),
        }
    }

    fn described_switches(&self) -> Vec<(&'static str, Value)> {
        let switches: &[(&'static str, bool)] = match self {
            Self::Equals { equality, .. } | Self::OneOf { equality, .. } => {
                &[("ignore_case", equality.ignore_case), ("ignore_space", equality.ignore_space)]
            }
            Self::Contains { ignore_case, .. }
            | Self::NotContains { ignore_case, .. }
            | Self::StartsWith { ignore_case, .. } => &[("ignore_case", *ignore_case)],
            Self::Regex { pattern } => &[("ignore_case", pattern.ignores_case())],
            Self::JsonEquals { ignore_order, .. } => &[("ignore_order", *ignore_order)],
            Self::ToolCall { only, .. } => &[("only", *only)],
            _ => &[],
        };
        let mut keys: Vec<_> =
            switches.iter().filter(|(_, on)| *on).map(|(key, _)| (*key, true.into())).collect();
        match self {
            Self::Contains { combination: Combination::Any, .. } => {
                keys.push(("match", "any".into()));
            }
            Self::Number { tolerance, relative_tolerance, .. } => {
                let tolerances =
                    [("tolerance", *tolerance), ("relative_tolerance", *relative_tolerance)];
                keys.extend(
                    tolerances
                        .into_iter()
                        .filter(|(_, share)| *share > 0.0)
                        .map(|(key, share)| (key, share.into())),
                );
            }
            Self::Length { unit: LengthUnit::Bytes, .. } => keys.push(("unit", "bytes".into())),
            Self::Length { unit: LengthUnit::Lines, .. } => keys.push(("unit", "lines".into())),
            _ => {}
        }
        keys
    }
}

impl Test {
    /// Returns what the test asks, as the document that its hash is made of.
    pub fn meaning(&self) -> Value {
        let mut keys = Map::new();
        keys.insert("kind".to_owned(), self.kind.name().into());
        let described = self.kind.described();
        keys.extend(described.into_iter().map(|(key, value)| (key.to_owned(), value)));
        if self.negated {
            keys.insert("not".to_owned(), true.into());
        }
        if let Some(threshold) = self.threshold {
            keys.insert("threshold".to_owned(), threshold.into());
        }
        match &self.part {
            Part::Whole => {}
            Part::JsonPath(path) => {
                keys.insert("part".to_owned(), json!({ "json_path": path.source() }));
            }
            Part::Regex { pattern, group } => {
                let part = json!({ "regex": pattern.source(), "group": group });
                keys.insert("part".to_owned(), part);
            }
        }
        Value::Object(keys)
    }

    /// Returns every placeholder that the test uses, its groups' included.
    pub fn placeholders(&self) -> Vec<&Placeholder> {
        let mut found: Vec<&Placeholder> = match &self.kind {
            Kind::Equals { value, .. }
            | Kind::StartsWith { value, .. }
            | Kind::Likeness { value, .. }
            | Kind::Levenshtein { value, .. } => value.placeholders().collect(),
            Kind::Contains { values, .. }
            | Kind::NotContains { values, .. }
            | Kind::OneOf { values, .. } => values.placeholders(),
            Kind::Regex { pattern } => pattern.template().placeholders().collect(),
            Kind::Number { value, .. }
            | Kind::JsonPathEquals { value, .. }
            | Kind::JsonEquals { value, .. } => value.placeholders(),
            Kind::ToolCall { arguments: value, .. } | Kind::Program { options: value, .. } => {
                value.as_ref().map(JsonTemplate::placeholders).unwrap_or_default()
            }
            Kind::Group { tests, .. } => tests.iter().flat_map(Self::placeholders).collect(),
            Kind::JsonValid
            | Kind::JsonSchema { .. }
            | Kind::WordCount { .. }
            | Kind::Length { .. }
            | Kind::Refusal { .. }
            | Kind::FinishReason { .. }
            | Kind::Latency { .. }
            | Kind::Cost { .. } => Vec::new(),
        };
        if let Part::Regex { pattern, .. } = &self.part {
            found.extend(pattern.template().placeholders());
        }
        found
    }

    /// Returns the declared programs that the test needs and where it names them.
    pub fn programs(&self) -> Vec<(&str, Span)> {
        match &self.kind {
            Kind::Program { program, program_span, .. } => vec![(program, *program_span)],
            Kind::Group { tests, .. } => tests.iter().flat_map(Self::programs).collect(),
            _ => Vec::new(),
        }
    }
}

impl CheckSpec {
    /// Returns the hash of what the check asks.
    ///
    /// Name, criterion and weight say where the score goes and not how it comes about, so they do not
    /// count: a renamed check keeps its scores.
    pub fn hash(&self) -> ContentHash {
        ContentHash::of_document(CHECK_HASH_TAG, &self.test.meaning())
    }

    /// Returns the whole check as a document, defaults left out, for the hash of its set.
    pub fn document(&self) -> Value {
        let mut keys = match self.test.meaning() {
            Value::Object(keys) => keys,
            _ => Map::new(),
        };
        keys.insert("name".to_owned(), self.name.as_str().into());
        if self.criterion != self.name {
            keys.insert("criterion".to_owned(), self.criterion.as_str().into());
        }
        if self.weight.to_bits() != 1f64.to_bits() {
            keys.insert("weight".to_owned(), self.weight.into());
        }
        Value::Object(keys)
    }
}
