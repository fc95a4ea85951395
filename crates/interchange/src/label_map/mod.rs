//! The mapping: where in a row of somebody's file the parts of labels stand.

mod bind;
mod read;

use std::collections::BTreeMap;

use document::{Diagnostic, Diagnostics, SourceText, Span};
use evalset::{Drawn, LabelValue, Split};
use values::Timestamp;

use crate::place::Place;

/// What a mapping file says.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap {
    /// The name of the data set; with the ids in it, the identity of what is imported.
    pub source: String,
    /// The form of the rows; else the file's ending tells it.
    pub format: Option<RowFormat>,
    pub(crate) delimiter: u8,
    pub(crate) time: Timestamp,
    pub(crate) case: CaseMap,
    pub(crate) outputs: Vec<OutputMap>,
    pub(crate) labels: Vec<LabelColumn>,
    pub(crate) judges: Vec<JudgeColumn>,
}

/// The form of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header line.
    Csv,
}

impl RowFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Json, Self::Jsonl, Self::Csv];

    /// Returns the word that files use, which is also the ending of a file's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Returns the form that the ending of a file's name stands for.
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(ending))
    }
}

/// Where the parts of a case stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CaseMap {
    pub(crate) id: Place,
    pub(crate) cluster: Option<Place>,
    pub(crate) split: Option<Split>,
    pub(crate) tags: Vec<Place>,
    pub(crate) inputs: Vec<(String, Place)>,
    pub(crate) expected: Option<Place>,
}

/// Where one output stands: its text, or what is known of an output whose text is not there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OutputMap {
    Text(Place),
    /// Without an id it goes by the case's, with `/a` or `/b` behind it in a pair.
    External {
        id: Option<Place>,
        length: Option<Place>,
    },
}

/// How what stands in a row becomes a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueMap {
    pub(crate) kind: ValueKind,
    /// What each text stands for; nothing for a value that says nothing. Without entries the words
    /// of the kind are expected.
    pub(crate) words: BTreeMap<String, Option<LabelValue>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ValueKind {
    Binary,
    /// A number that is 0 at `low` and 1 at `high`.
    Number {
        low: f64,
        high: f64,
    },
    Category,
    Preference,
}

/// One or several people's values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LabelColumn {
    pub(crate) criterion: String,
    /// Where the column stands in the mapping.
    pub(crate) span: Span,
    pub(crate) value: Place,
    /// Each character of the text is one person's value.
    pub(crate) characters: bool,
    pub(crate) map: ValueMap,
    pub(crate) labeller: Labeller,
    pub(crate) note: Option<Place>,
    pub(crate) time: Option<Place>,
    pub(crate) drawn: Option<Drawn>,
}

/// Whose values they are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Labeller {
    /// A name, in which `{n}` is the place of the value, from 1.
    Named(String),
    /// The name stands in the row.
    From(Place),
}

/// A judge's verdicts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JudgeColumn {
    pub(crate) name: String,
    /// Which of several prompts or models it was, in the words of who judged.
    pub(crate) version: Option<String>,
    pub(crate) criterion: String,
    /// Where the column stands in the mapping.
    pub(crate) span: Span,
    pub(crate) verdicts: Verdicts,
    pub(crate) map: ValueMap,
    pub(crate) probability: Option<Place>,
    pub(crate) reason: Option<Place>,
    /// A row without a verdict has none; else the judge was asked and its answer was unreadable.
    pub(crate) skips_missing: bool,
}

/// Where the verdicts stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdicts {
    One(Place),
    /// One for each order in which a pair was shown: `a` first and `b` first.
    BothOrders {
        ab: Place,
        ba: Place,
    },
}

impl LabelMap {
    /// Reads a mapping. `name` is the path that diagnostics show.
    ///
    /// Returns `None` if anything is wrong; the diagnostics say what.
    pub fn read(name: &str, text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new(SourceText::new(name, text));
        let map = read::map(text, &mut diagnostics).filter(|_| !diagnostics.has_errors());
        (map, diagnostics.into_vec())
    }
}
