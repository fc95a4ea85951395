use std::borrow::Cow;

use serde_json::{Map, Value, json};
use values::{ContentHash, Id, Timestamp};

use super::dealing::Dealt;
use super::read::LABEL_FORMAT;

/// Something that a person did about an output. Never changed once written.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelEvent {
    /// The event.
    pub id: Id,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub labeller: String,
    /// About what.
    pub subject: LabelSubject,
    /// What.
    pub act: Act,
    /// In their words.
    pub note: Option<String>,
    /// The events that this one takes the place of.
    pub replaces: Vec<Id>,
    /// The guideline by which it was decided, by its hash.
    pub rubric: Option<ContentHash>,
    /// How the case came to this person; unknown for labels that were made elsewhere.
    pub drawn: Option<Drawn>,
    /// Where the case stood then; unknown for labels that are older than that was noted.
    pub dealt: Option<Dealt>,
    /// Whether model, variant and judge were hidden.
    pub blind: Option<bool>,
    /// Seconds that the decision took.
    pub seconds: Option<u64>,
    /// What is known of outputs of the subject whose text is not here.
    pub external: Vec<ExternalOutput>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// What a label is about, its labeller apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelSubject {
    /// The case.
    pub case: String,
    /// Its content then.
    pub case_hash: ContentHash,
    /// The output or the pair.
    pub output: LabelledOutput,
    /// The criterion.
    pub criterion: String,
}

/// One output, or an ordered pair of them, by hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelledOutput {
    /// One output.
    One(ContentHash),
    /// Two outputs, in the order in which `a` and `b` name them.
    Pair(ContentHash, ContentHash),
}

/// An output whose text is not here: it lies in another program, which knows it by an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalOutput {
    /// The program or data set that has it.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// Its length in characters, if that is known; length bias is looked at by it.
    pub length: Option<u64>,
}

impl LabelledOutput {
    /// Returns the hash that stands for an output whose text is not here, known by a source and an
    /// id in it.
    pub fn external(source: &str, id: &str) -> ContentHash {
        ContentHash::of_document("external", &json!({"id": id, "source": source}))
    }

    /// Returns the output or the two outputs, in order.
    pub fn hashes(&self) -> impl Iterator<Item = ContentHash> + use<> {
        let (first, second) = match self {
            Self::One(output) => (*output, None),
            Self::Pair(a, b) => (*a, Some(*b)),
        };
        std::iter::once(first).chain(second)
    }
}

impl ExternalOutput {
    /// Returns the hash that stands for it in a subject.
    pub fn hash(&self) -> ContentHash {
        LabelledOutput::external(&self.source, &self.id)
    }

    fn document(&self) -> Value {
        let mut document = Map::new();
        document.insert("source".to_owned(), self.source.as_str().into());
        document.insert("id".to_owned(), self.id.as_str().into());
        if let Some(length) = self.length {
            document.insert("length".to_owned(), length.into());
        }
        Value::Object(document)
    }
}

/// What a person did.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Decided.
    Label(LabelValue),
    /// Put it off. Carries no value.
    Defer,
    /// Wrote a note. Carries no value.
    Note,
    /// Asks others to look at it. Carries no value.
    Flag,
    /// Withdrew what it replaces.
    Retract,
    /// Decided between the labels of several people. Replaces none of them, so that agreement
    /// between people can always be computed without it.
    Adjudicate {
        /// The decision.
        value: LabelValue,
        /// The events that it decides.
        adjudicates: Vec<Id>,
    },
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelValue {
    /// It passes.
    Pass,
    /// It fails.
    Fail,
    /// A share in 0..=1.
    Number(f64),
    /// One of the criterion's categories.
    Category(String),
    /// Which of a pair is better.
    Prefers(Preference),
}

/// Which of a pair is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preference {
    /// The first.
    A,
    /// The second.
    B,
    /// Neither.
    Tie,
}

/// How a case came to be labelled. Only random draws may enter a rate.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawn {
    /// At random, with this probability in (0, 1].
    Random {
        /// The probability.
        probability: f64,
    },
    /// At random within a stratum.
    Stratum {
        /// The stratum.
        name: String,
        /// The probability within it, in (0, 1].
        probability: f64,
    },
    /// Because it looked suspicious, or because a person chose it.
    Hunt,
}

impl LabelValue {
    /// Tells whether two values are the same decision.
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b).is_eq(),
            _ => self == other,
        }
    }

    /// Returns the value as people and tables write it.
    pub fn word(&self) -> Cow<'_, str> {
        match self {
            Self::Pass => Cow::Borrowed("pass"),
            Self::Fail => Cow::Borrowed("fail"),
            Self::Number(share) => Cow::Owned(share.to_string()),
            Self::Category(name) => Cow::Borrowed(name),
            Self::Prefers(preference) => Cow::Borrowed(preference.name()),
        }
    }

    fn put(&self, row: &mut Map<String, Value>) {
        let (key, value) = match self {
            Self::Pass => ("value", json!("pass")),
            Self::Fail => ("value", json!("fail")),
            Self::Number(share) => ("value", json!(share)),
            Self::Category(name) => ("category", json!(name)),
            Self::Prefers(preference) => ("prefers", json!(preference.name())),
        };
        row.insert(key.to_owned(), value);
    }
}

impl Preference {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::Tie];

    /// Returns the word that files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::Tie => "tie",
        }
    }
}

impl Act {
    /// Returns the word that files use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Label(_) => "label",
            Self::Defer => "defer",
            Self::Note => "note",
            Self::Flag => "flag",
            Self::Retract => "retract",
            Self::Adjudicate { .. } => "adjudicate",
        }
    }
}

impl LabelEvent {
    pub(super) fn put(&self, row: &mut Map<String, Value>) {
        let mut set = |key: &str, value: Value| {
            row.insert(key.to_owned(), value);
        };
        set("format", LABEL_FORMAT.into());
        set("id", text(&self.id));
        set("act", self.act.name().into());
        set("case", self.subject.case.as_str().into());
        set("case_hash", text(&self.subject.case_hash));
        match &self.subject.output {
            LabelledOutput::One(output) => set("output", text(output)),
            LabelledOutput::Pair(a, b) => set("pair", json!([text(a), text(b)])),
        }
        set("criterion", self.subject.criterion.as_str().into());
        if let Act::Label(value) | Act::Adjudicate { value, .. } = &self.act {
            value.put(row);
        }
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                row.insert(key.to_owned(), value);
            }
        };
        set("note", self.note.as_deref().map(Value::from));
        set("labeller", Some(self.labeller.as_str().into()));
        set("time", Some(text(&self.time)));
        set("replaces", ids(&self.replaces));
        if let Act::Adjudicate { adjudicates, .. } = &self.act {
            set("adjudicates", ids(adjudicates));
        }
        set("rubric", self.rubric.as_ref().map(text));
        set("drawn", self.drawn.as_ref().map(Drawn::document));
        set("split", self.dealt.as_ref().map(|dealt| dealt.split.name().into()));
        let cluster = self.dealt.as_ref().and_then(|dealt| dealt.cluster.as_deref());
        set("cluster", cluster.map(Value::from));
        set("blind", self.blind.map(Value::from));
        set("seconds", self.seconds.map(Value::from));
        let external: Vec<_> = self.external.iter().map(ExternalOutput::document).collect();
        set("external", (!external.is_empty()).then(|| external.into()));
        for (key, value) in &self.other {
            set(key, Some(value.clone()));
        }
    }
}

impl Drawn {
    fn document(&self) -> Value {
        match self {
            Self::Random { probability } => json!({"how": "random", "probability": probability}),
            Self::Stratum { name, probability } => {
                json!({"how": "stratum", "stratum": name, "probability": probability})
            }
            Self::Hunt => json!({"how": "hunt"}),
        }
    }

    /// Returns the probability with which the case was drawn, if chance drew it.
    pub fn probability(&self) -> Option<f64> {
        match self {
            Self::Random { probability } | Self::Stratum { probability, .. } => Some(*probability),
            Self::Hunt => None,
        }
    }
}

pub(super) fn text(value: &impl ToString) -> Value {
    Value::String(value.to_string())
}

pub(super) fn ids(ids: &[Id]) -> Option<Value> {
    (!ids.is_empty()).then(|| ids.iter().map(text).collect::<Vec<_>>().into())
}
