use evalset::{CriterionKind, LabelValue, LabelledOutput, Preference, Reference, Split};

/// One output, or an ordered pair of outputs, with what a judge and what people say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedItem {
    /// The case.
    pub case: String,
    /// Its cluster; a case without one is its own.
    pub cluster: Option<String>,
    /// The part of the set that the case belongs to.
    pub split: Split,
    /// The case's tags.
    pub tags: Vec<String>,
    /// The variant that made the output; of a pair, the one named `a`.
    pub variant: String,
    /// The output or the pair.
    pub output: LabelledOutput,
    /// What the judge says.
    pub judge: JudgeAnswer,
    /// The probability of a pass that the judge gives, a share.
    pub probability: Option<f64>,
    /// Why, in the judge's words.
    pub reason: Option<String>,
    /// Of a pair: what the judge prefers with `a` first, and with `b` first.
    pub orders: Option<(Preference, Preference)>,
    /// The current label of each person that is not outdated, by name.
    pub labels: Vec<(String, LabelValue)>,
    /// What people decided together.
    pub reference: Reference,
    /// How the output came to be labelled.
    pub draw: Draw,
    /// Whether people labelled another content of the case or by another rubric.
    pub outdated: bool,
    /// Whether an earlier version of the judge was tried on the labels of this output.
    pub seen: bool,
    /// The length of the output in characters.
    pub length: Option<u64>,
    /// Whether a model of the judge's own family made the output, if both are known.
    pub own_family: Option<bool>,
}

/// What a judge says of an output.
#[derive(Debug, Clone, PartialEq)]
pub enum JudgeAnswer {
    /// It decided.
    Decided(LabelValue),
    /// Its reply could not be parsed.
    Unreadable,
    /// The call failed.
    Error,
    /// It was not asked.
    NotAsked,
}

/// How an output came to be labelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draw {
    /// By chance, with this probability in (0, 1].
    Random(f64),
    /// Because it looked suspicious or somebody chose it: counts in no rate.
    Hunt,
    /// Nobody knows: counts in no rate either.
    Unknown,
}

impl Draw {
    /// Returns how the labels of an output were drawn: by chance if all of them were.
    pub fn of<'a>(drawn: impl IntoIterator<Item = Option<&'a evalset::Drawn>>) -> Self {
        let mut found: Option<Self> = None;
        for one in drawn {
            let one = match one {
                None => Self::Unknown,
                Some(drawn) => drawn.probability().map_or(Self::Hunt, Self::Random),
            };
            found = Some(match (found, one) {
                (None, one) => one,
                (Some(Self::Hunt), _) | (_, Self::Hunt) => Self::Hunt,
                (Some(Self::Unknown), _) | (_, Self::Unknown) => Self::Unknown,
                // Drawn for one person or for another; the first draw brought it into the sample.
                (Some(first @ Self::Random(_)), Self::Random(_)) => first,
            });
        }
        found.unwrap_or(Self::Unknown)
    }
}

impl JudgedItem {
    /// Returns the weight of the output in rates of what was drawn, 1/π; none if chance did not draw
    /// it.
    pub(crate) fn weight(&self) -> Option<f64> {
        match self.draw {
            Draw::Random(probability) if probability > 0.0 && probability <= 1.0 => {
                Some(1.0 / probability)
            }
            _ => None,
        }
    }
}

/// What a criterion's values are, and which of them pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Pass or fail.
    Binary,
    /// A share in 0..=1, and from where on it passes.
    Graded {
        /// From this share on, a judge's and a person's number pass; without it nothing does.
        threshold: Option<f64>,
    },
    /// One of some categories.
    Categorical {
        /// All of them.
        categories: Vec<String>,
        /// Those that pass; without any the criterion only describes.
        passing: Vec<String>,
    },
    /// `a`, `b` or a tie. A preference for `a` takes the place of a pass, one for `b` that of a fail.
    Pair,
}

impl Scale {
    /// Returns the scale of a criterion whose scores are about single outputs.
    pub fn of(kind: &CriterionKind, threshold: Option<f64>) -> Self {
        match kind {
            CriterionKind::Binary => Self::Binary,
            CriterionKind::Graded => Self::Graded { threshold },
            CriterionKind::Categorical { categories, passing } => {
                Self::Categorical { categories: categories.clone(), passing: passing.clone() }
            }
        }
    }

    /// Tells whether a value passes; none if the scale does not say.
    pub fn passes(&self, value: &LabelValue) -> Option<bool> {
        match (value, self) {
            (LabelValue::Pass, _) | (LabelValue::Prefers(Preference::A), Self::Pair) => Some(true),
            (LabelValue::Fail, _) | (LabelValue::Prefers(Preference::B), Self::Pair) => Some(false),
            (LabelValue::Number(share), Self::Graded { threshold: Some(threshold) }) => {
                Some(share >= threshold)
            }
            (LabelValue::Category(name), Self::Categorical { passing, .. })
                if !passing.is_empty() =>
            {
                Some(passing.contains(name))
            }
            _ => None,
        }
    }
}

/// Returns a value as a number: a share, or 1 and 0 for pass and fail, or 1, ½ and 0 for a
/// preference; none for categories, which have no order.
pub(crate) fn number(value: &LabelValue) -> Option<f64> {
    match value {
        LabelValue::Pass | LabelValue::Prefers(Preference::A) => Some(1.0),
        LabelValue::Fail | LabelValue::Prefers(Preference::B) => Some(0.0),
        LabelValue::Prefers(Preference::Tie) => Some(0.5),
        LabelValue::Number(share) => Some(*share),
        LabelValue::Category(_) => None,
    }
}

/// The classes of a scale, in order, for the values that occur.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Classes {
    /// Their names.
    pub(crate) names: Vec<String>,
    /// Their places on the scale; the places of nominal classes are their numbers.
    pub(crate) places: Vec<f64>,
    /// Whether nearer classes agree more.
    pub(crate) is_ordered: bool,
}

/// Numbers of more levels than this are rounded to twentieths, so that a table can be read.
const MOST_LEVELS: usize = 21;

impl Classes {
    pub(crate) fn of<'a>(scale: &Scale, values: impl Iterator<Item = &'a LabelValue>) -> Self {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (names, is_ordered): (Vec<String>, bool) = match scale {
            Scale::Binary => (named(&["fail", "pass"]), false),
            Scale::Pair => (named(&["b", "tie", "a"]), false),
            Scale::Categorical { categories, .. } => (categories.clone(), false),
            Scale::Graded { .. } => {
                let shares = values.filter_map(number);
                let mut levels: Vec<f64> = shares.collect();
                levels.sort_by(f64::total_cmp);
                levels.dedup_by(|a, b| a.total_cmp(b).is_eq());
                if levels.len() > MOST_LEVELS {
                    levels = (0..=20u8).map(|step| f64::from(step) / 20.0).collect();
                }
                let names = levels.iter().map(|level| format!("{}", (level * 1e6).round() / 1e6));
                let names = names.collect();
                return Self { names, places: levels, is_ordered: true };
            }
        };
        let places = (0..names.len()).map(|place| place as f64).collect();
        Self { names, places, is_ordered }
    }

    pub(crate) fn class(&self, value: &LabelValue) -> Option<usize> {
        if self.is_ordered {
            let share = number(value)?;
            let far = |place: &f64| (place - share).abs();
            let all = self.places.iter().enumerate();
            return all.min_by(|a, b| far(a.1).total_cmp(&far(b.1))).map(|(at, _)| at);
        }
        let word = (!matches!(value, LabelValue::Number(_))).then(|| value.word())?;
        self.names.iter().position(|known| *known == word)
    }
}
