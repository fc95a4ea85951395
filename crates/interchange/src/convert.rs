use std::collections::BTreeSet;
use std::io::BufRead;

use evalset::{Act, Case, ExternalOutput, LabelEvent, LabelSubject, LabelValue, LabelledOutput};
use serde_json::{Map, Value, json};
use values::{ContentHash, Id, Timestamp};

use crate::label_map::{JudgeColumn, LabelColumn, Labeller, OutputMap, Verdicts};
use crate::place::{Found, Place, Step};
use crate::row::{BadRow, Row, UnreadableFile};
use crate::{LabelMap, RowFormat, rows};

/// What one row says.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRow {
    /// The line at which the row begins, from 1.
    pub line: u64,
    /// The case as the row describes it.
    pub case: Case,
    /// The texts of the outputs that stand in the row.
    pub texts: Vec<String>,
    /// What people said.
    pub labels: Vec<LabelEvent>,
    /// What judges said.
    pub verdicts: Vec<ImportedVerdict>,
}

/// What a judge elsewhere said about an output or a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedVerdict {
    /// The same for the same verdict of the same file, whenever it is imported.
    pub id: Id,
    /// When; the mapping's time.
    pub time: Timestamp,
    /// The judge's name in the mapping.
    pub judge: String,
    /// Which of several prompts or models it was, if the mapping says so.
    pub version: Option<String>,
    /// About what. A pair stands in the order a, b however it was shown.
    pub subject: LabelSubject,
    /// What the judge saw first.
    pub shown: Shown,
    /// What it said, in the names of the subject; nothing if its answer could not be read.
    pub value: Option<LabelValue>,
    /// The probability of a pass or, in a pair, of a.
    pub probability: Option<f64>,
    /// Why, in its words.
    pub reason: Option<String>,
}

/// How outputs were shown to a judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shown {
    /// One output, or a pair in an order that is not known.
    Once,
    /// A pair, a first.
    AFirst,
    /// A pair, b first.
    BFirst,
}

/// What an import read.
#[derive(Debug, Default)]
pub struct Imported {
    /// Rows that were read.
    pub rows: u64,
    /// What could not be imported, in the order of the file, one for each problem.
    pub bad: Vec<BadRow>,
}

/// Reads people's and judges' decisions by a mapping and hands each good row to `each`.
///
/// `known_case` tells the content of cases that the eval set has; other cases are what their rows
/// say. Ids follow from the source, the case, the outputs, the criterion, the labeller and the value,
/// so that a file imported twice gives the same events, in whatever order its rows stand.
///
/// # Errors
/// If the stream cannot be read to its end. Rows that were handed over before are then a part of the
/// file, which must not be kept.
pub fn import_labels(
    map: &LabelMap,
    format: RowFormat,
    input: impl BufRead,
    known_case: &dyn Fn(&str) -> Option<ContentHash>,
    each: &mut dyn FnMut(ImportedRow),
) -> Result<Imported, UnreadableFile> {
    let mut imported = Imported::default();
    rows::for_each(map, format, input, &mut |row| {
        imported.rows += 1;
        match row.map_err(|bad| vec![bad]).and_then(|row| convert(map, &row, known_case)) {
            Ok(row) => each(row),
            Err(mut bad) => imported.bad.append(&mut bad),
        }
    })?;
    Ok(imported)
}

fn convert(
    map: &LabelMap,
    row: &Row,
    known_case: &dyn Fn(&str) -> Option<ContentHash>,
) -> Result<ImportedRow, Vec<BadRow>> {
    let mut reader = Reader { map, row, bad: Vec::new() };
    let found = reader.case().map(|case| reader.said(case, known_case));
    match found {
        Some(found) if reader.bad.is_empty() => Ok(found),
        _ => Err(reader.bad),
    }
}

/// Reads the parts of one row and collects what is wrong with it.
struct Reader<'r> {
    map: &'r LabelMap,
    row: &'r Row,
    bad: Vec<BadRow>,
}

/// What all labels and verdicts of a row are about.
struct About {
    case: String,
    case_hash: ContentHash,
    output: LabelledOutput,
    external: Vec<ExternalOutput>,
}

impl<'r> Reader<'r> {
    fn complain(&mut self, steps: &[Step], problem: String) {
        self.bad.push(self.row.bad(steps, problem));
    }

    /// Returns the one value of a place, nothing if it is missing, `null` or empty.
    fn value(&mut self, place: &Place) -> Option<Found<'r>> {
        let mut found = place.find(&self.row.value);
        if found.len() > 1 {
            let problem =
                format!("`{}` selects {} values, expected one", place.text(), found.len());
            self.complain(&found[1].0, problem);
            return None;
        }
        found.pop().filter(|(_, value)| !is_missing(value))
    }

    fn text(&mut self, place: &Place) -> Option<String> {
        let (steps, value) = self.value(place)?;
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(bool) => Some(bool.to_string()),
            _ => {
                self.complain(&steps, format!("`{}` must be text or a number", place.text()));
                None
            }
        }
    }

    fn needed(&mut self, place: &Place) -> Option<String> {
        let problems = self.bad.len();
        let text = self.text(place);
        if text.is_none() && self.bad.len() == problems {
            self.complain(&[], format!("`{}` is missing", place.text()));
        }
        text
    }

    fn case(&mut self) -> Option<Case> {
        let map = &self.map.case;
        let mut case = Case::new(self.needed(&map.id)?, Map::new());
        case.cluster = map.cluster.as_ref().and_then(|place| self.text(place));
        case.split = map.split;
        case.tags = map.tags.iter().filter_map(|place| self.text(place)).collect();
        for (name, place) in &map.inputs {
            if let Some((_, value)) = self.value(place) {
                case.inputs.insert(name.clone(), value.clone());
            }
        }
        case.expected = map
            .expected
            .as_ref()
            .and_then(|place| self.value(place))
            .map(|(_, value)| value.clone());
        case.source = Some(json!({ "import": self.map.source }));
        Some(case)
    }

    fn said(
        &mut self,
        case: Case,
        known_case: &dyn Fn(&str) -> Option<ContentHash>,
    ) -> ImportedRow {
        let (mut texts, mut external, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        for (index, output) in self.map.outputs.iter().enumerate() {
            match output {
                OutputMap::Text(place) => {
                    let text = self.needed(place).unwrap_or_default();
                    hashes.push(ContentHash::of_bytes(text.as_bytes()));
                    texts.push(text);
                }
                OutputMap::External { id, length } => {
                    let known = self.external(&case.id, index, id.as_ref(), length.as_ref());
                    hashes.push(known.hash());
                    external.push(known);
                }
            }
        }
        let output = match hashes.as_slice() {
            [a, b] => LabelledOutput::Pair(*a, *b),
            // A mapping has one output or two.
            [one, ..] => LabelledOutput::One(*one),
            [] => LabelledOutput::One(LabelledOutput::external(&self.map.source, &case.id)),
        };
        let case_hash = known_case(&case.id).unwrap_or_else(|| case.content_hash());
        let about = About { case: case.id.clone(), case_hash, output, external };
        let mut labels = Vec::new();
        for column in &self.map.labels {
            self.labels(column, &about, &mut labels);
        }
        let mut verdicts = Vec::new();
        for column in &self.map.judges {
            self.verdicts(column, &about, &mut verdicts);
        }
        ImportedRow { line: self.row.line, case, texts, labels, verdicts }
    }

    fn external(
        &mut self,
        case: &str,
        index: usize,
        id: Option<&Place>,
        length: Option<&Place>,
    ) -> ExternalOutput {
        let by_case = match (self.map.outputs.len(), index) {
            (1, _) => case.to_owned(),
            (_, 0) => format!("{case}/a"),
            _ => format!("{case}/b"),
        };
        let id = id.map_or(Some(by_case), |place| self.needed(place)).unwrap_or_default();
        let length = length.and_then(|place| {
            let (steps, value) = self.value(place)?;
            let number = match value {
                Value::String(text) => text.parse().ok(),
                other => other.as_u64(),
            };
            if number.is_none() {
                let problem = format!("`{}` is no length in characters", place.text());
                self.complain(&steps, problem);
            }
            number
        });
        ExternalOutput { source: self.map.source.clone(), id, length }
    }

    fn labels(&mut self, column: &LabelColumn, about: &About, labels: &mut Vec<LabelEvent>) {
        let found = spread(column.value.find(&self.row.value), column.characters);
        let names = match &column.labeller {
            Labeller::Named(_) => Vec::new(),
            Labeller::From(place) => spread(place.find(&self.row.value), false),
        };
        let time = column.time.as_ref().and_then(|place| self.time(place));
        let note = column.note.as_ref().and_then(|place| self.text(place));
        let mut seen = BTreeSet::new();
        for (index, (steps, value)) in found.iter().enumerate() {
            if is_missing(value) {
                continue;
            }
            let value = match column.map.value(value) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(problem) => {
                    self.complain(steps, format!("`{}`: {problem}", column.value.text()));
                    continue;
                }
            };
            let labeller = match &column.labeller {
                Labeller::Named(name) => name.replace("{n}", &(index + 1).to_string()),
                Labeller::From(place) => {
                    let name = names.get(index).and_then(|(_, name)| name.as_str());
                    let Some(name) = name.filter(|name| !name.trim().is_empty()) else {
                        let problem = format!("no labeller for it stands at `{}`", place.text());
                        self.complain(steps, problem);
                        continue;
                    };
                    name.to_owned()
                }
            };
            if !seen.insert(labeller.clone()) {
                let problem = format!("found a second value of the labeller `{labeller}`");
                self.complain(steps, problem);
                continue;
            }
            let time = time.unwrap_or(self.map.time);
            labels.push(self.event(column, about, (labeller, value), time, note.clone()));
        }
    }

    fn event(
        &self,
        column: &LabelColumn,
        about: &About,
        (labeller, value): (String, LabelValue),
        time: Timestamp,
        note: Option<String>,
    ) -> LabelEvent {
        let subject = about.subject(&column.criterion);
        LabelEvent {
            id: self.id("label", time, &subject, &labeller, &format!("{value:?}")),
            time,
            labeller,
            subject,
            act: Act::Label(value),
            note,
            replaces: Vec::new(),
            rubric: None,
            drawn: column.drawn.clone(),
            dealt: None,
            blind: None,
            seconds: None,
            external: about.external.clone(),
            other: Map::new(),
        }
    }

    fn verdicts(
        &mut self,
        column: &JudgeColumn,
        about: &About,
        verdicts: &mut Vec<ImportedVerdict>,
    ) {
        let orders = match &column.verdicts {
            Verdicts::One(place) => vec![(Shown::Once, place)],
            Verdicts::BothOrders { ab, ba } => vec![(Shown::AFirst, ab), (Shown::BFirst, ba)],
        };
        let probability = column.probability.as_ref().and_then(|place| self.share(place));
        let reason = column.reason.as_ref().and_then(|place| self.text(place));
        for (shown, place) in orders {
            let value = match self.value(place).map(|(steps, v)| (steps, column.map.value(v))) {
                Some((_, Ok(value))) => value,
                Some((steps, Err(problem))) => {
                    self.complain(&steps, format!("`{}`: {problem}", place.text()));
                    continue;
                }
                None => None,
            };
            if value.is_none() && column.skips_missing {
                continue;
            }
            let subject = about.subject(&column.criterion);
            let said = format!("{shown:?} {value:?} {probability:?}");
            verdicts.push(ImportedVerdict {
                id: self.id("verdict", self.map.time, &subject, &column.name, &said),
                time: self.map.time,
                judge: column.name.clone(),
                version: column.version.clone(),
                subject,
                shown,
                value,
                probability,
                reason: reason.clone(),
            });
        }
    }

    fn share(&mut self, place: &Place) -> Option<f64> {
        let (steps, value) = self.value(place)?;
        let number = match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_f64(),
        };
        let share = number.filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            let problem = format!("`{}` must be a number from 0 to 1", place.text());
            self.complain(&steps, problem);
        }
        share
    }

    fn time(&mut self, place: &Place) -> Option<Timestamp> {
        let (steps, value) = self.value(place)?;
        let time = value.as_str().and_then(|text| text.parse().ok());
        if time.is_none() {
            let problem = format!("`{}` is no time such as 2026-11-24T10:00:00Z", place.text());
            self.complain(&steps, problem);
        }
        time
    }

    /// Returns the id that follows from what was said about what and by whom.
    fn id(&self, kind: &str, time: Timestamp, subject: &LabelSubject, by: &str, said: &str) -> Id {
        let outputs: Vec<String> = subject.output.hashes().map(|hash| hash.to_string()).collect();
        let document = json!({
            "by": by,
            "case": subject.case,
            "criterion": subject.criterion,
            "kind": kind,
            "outputs": outputs,
            "said": said,
            "source": self.map.source,
        });
        let hash = ContentHash::of_document("trysquare-import-v1", &document);
        let mut random = [0; 10];
        random.copy_from_slice(&hash.as_bytes()[..10]);
        Id::new(time, random)
    }
}

impl About {
    fn subject(&self, criterion: &str) -> LabelSubject {
        LabelSubject {
            case: self.case.clone(),
            case_hash: self.case_hash,
            output: self.output,
            criterion: criterion.to_owned(),
        }
    }
}

fn is_missing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

/// Returns the items of what was found: of one list its items, of one text its characters.
fn spread(found: Vec<Found<'_>>, characters: bool) -> Vec<(Vec<Step>, Value)> {
    let mut items = Vec::new();
    for (steps, value) in found {
        match value {
            Value::Array(list) => items.extend(list.iter().enumerate().map(|(index, item)| {
                let mut steps = steps.clone();
                steps.push(Step::Index(index));
                (steps, item.clone())
            })),
            Value::String(text) if characters => items
                .extend(text.chars().map(|one| (steps.clone(), Value::String(one.to_string())))),
            other => items.push((steps, other.clone())),
        }
    }
    items
}
