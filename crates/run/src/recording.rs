use std::collections::BTreeMap;

use chat::{Protocol, Reply};
use serde::Serialize;
use serde_json::{Map, Value};
use values::{ContentHash, Timestamp, row_json};

use crate::{Answer, AnswerSource, Call, Endpoint};

/// The format of a recorded row.
pub const RECORDING_FORMAT: u32 = 1;

/// A response kept in an eval set's `recorded.jsonl`, so that a run can be replayed.
///
/// What the key covers is [`Call::recording_key`]'s business. The other fields say where the
/// response came from; nothing is looked up by them.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What was asked, the repetition included.
    pub key: ContentHash,
    /// How it was asked.
    pub protocol: Protocol,
    /// The model or target that answered, as the call named it.
    pub model: String,
    /// Who answered.
    pub by: RecordedBy,
    /// The version of the adapter that made the body.
    pub adapter_version: u32,
    /// The repetition, from 0.
    pub sample: u32,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Milliseconds from sending to the last byte.
    pub latency_ms: u64,
    /// Milliseconds from sending to the first content, where it was streamed.
    pub first_token_ms: Option<u64>,
    /// What was answered.
    pub reply: Reply,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// Who gave a recorded response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedBy {
    /// A server.
    Origin(String),
    /// A model in the process.
    ModelFile {
        /// The SHA-256 of the GGUF file.
        model_file: ContentHash,
        /// The runtime and its version.
        runtime: String,
    },
    /// A program of the user's.
    Program {
        /// The hash of its declaration and of the files it names.
        declaration: ContentHash,
    },
}

/// A line of `recorded.jsonl` that is no recording. The other lines are used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct BadRecording {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub problem: String,
}

impl Recording {
    /// Makes the recording of an answer.
    pub fn new(call: &Call, sample: u32, answer: &Answer, recorded_at: Timestamp) -> Self {
        let by = match &call.endpoint {
            Endpoint::Remote { origin, .. } => RecordedBy::Origin(origin.clone()),
            Endpoint::Local { model_file, runtime } => {
                RecordedBy::ModelFile { model_file: *model_file, runtime: runtime.clone() }
            }
            Endpoint::Program { declaration } => RecordedBy::Program { declaration: *declaration },
        };
        Self {
            key: call.recording_key(sample),
            protocol: call.protocol,
            model: call.model.clone(),
            by,
            adapter_version: call.adapter_version,
            sample,
            recorded_at,
            latency_ms: answer.latency_ms,
            first_token_ms: answer.first_token_ms,
            reply: answer.reply.clone(),
            other: Map::new(),
        }
    }

    /// Returns the answer that a replay gives, with the original's latency.
    pub fn answer(&self) -> Answer {
        Answer {
            reply: self.reply.clone(),
            latency_ms: self.latency_ms,
            first_token_ms: self.first_token_ms,
            source: AnswerSource::Replay,
        }
    }

    /// Returns the canonical row: one JSON object, no line end.
    ///
    /// Keys in the order `format`, `key`, `protocol`, `model`, then `origin`, or `model_file` and
    /// `runtime`, or `declaration`, then `adapter_version`, `sample`, `recorded_at`, `latency_ms`,
    /// `first_token_ms` if there is one, `reply`, and what this version does not know.
    pub fn row(&self) -> String {
        let mut row = Map::new();
        let mut put = |key: &str, value: Value| {
            row.insert(key.to_owned(), value);
        };
        put("format", RECORDING_FORMAT.into());
        put("key", json(&self.key));
        put("protocol", json(&self.protocol));
        put("model", json(&self.model));
        match &self.by {
            RecordedBy::Origin(origin) => put("origin", json(origin)),
            RecordedBy::ModelFile { model_file, runtime } => {
                put("model_file", json(model_file));
                put("runtime", json(runtime));
            }
            RecordedBy::Program { declaration } => put("declaration", json(declaration)),
        }
        put("adapter_version", self.adapter_version.into());
        put("sample", self.sample.into());
        put("recorded_at", json(&self.recorded_at));
        put("latency_ms", self.latency_ms.into());
        if let Some(first) = self.first_token_ms {
            put("first_token_ms", first.into());
        }
        put("reply", json(&self.reply));
        for (key, value) in &self.other {
            put(key, value.clone());
        }
        row_json(&Value::Object(row))
    }

    /// Reads one row.
    ///
    /// # Errors
    /// What is wrong with it, and the column where that is known.
    fn read(text: &str) -> Result<Self, (usize, String)> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            (column(text, error.column()), message)
        })?;
        let Value::Object(mut fields) = value else {
            return Err((1, "expected a JSON object".to_owned()));
        };
        Self::from_fields(&mut fields).map_err(|problem| (1, problem))
    }

    fn from_fields(fields: &mut Map<String, Value>) -> Result<Self, String> {
        let format: u32 = required(fields, "format")?;
        if format != RECORDING_FORMAT {
            return Err(format!(
                "the row has format {format}, and this program reads format {RECORDING_FORMAT}"
            ));
        }
        let origin: Option<String> = optional(fields, "origin")?;
        let model_file: Option<ContentHash> = optional(fields, "model_file")?;
        let declaration: Option<ContentHash> = optional(fields, "declaration")?;
        let by = match (origin, model_file, declaration) {
            (Some(origin), None, None) => RecordedBy::Origin(origin),
            (None, Some(model_file), None) => {
                RecordedBy::ModelFile { model_file, runtime: required(fields, "runtime")? }
            }
            (None, None, Some(declaration)) => RecordedBy::Program { declaration },
            _ => return Err("expected one of `origin`, `model_file`, `declaration`".to_owned()),
        };
        Ok(Self {
            key: required(fields, "key")?,
            protocol: required(fields, "protocol")?,
            model: required(fields, "model")?,
            by,
            adapter_version: required(fields, "adapter_version")?,
            sample: required(fields, "sample")?,
            recorded_at: required(fields, "recorded_at")?,
            latency_ms: required(fields, "latency_ms")?,
            first_token_ms: optional(fields, "first_token_ms")?,
            reply: required(fields, "reply")?,
            other: std::mem::take(fields),
        })
    }
}

/// Reads a file of recordings, in any order and with duplicates. Empty lines are skipped.
///
/// Returns the rows in file order, and every line that is none.
pub fn read_recordings(text: &str) -> (Vec<Recording>, Vec<BadRecording>) {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match Recording::read(line) {
            Ok(row) => rows.push(row),
            Err((column, problem)) => bad.push(BadRecording { line: index + 1, column, problem }),
        }
    }
    (rows, bad)
}

/// Writes a file of recordings: canonical rows, one for each key, sorted by key.
///
/// Of several rows with one key the one that was recorded last stays, whatever their order.
pub fn write_recordings(rows: impl IntoIterator<Item = Recording>) -> String {
    let mut kept: BTreeMap<ContentHash, (Timestamp, String)> = BTreeMap::new();
    for row in rows {
        let candidate = (row.recorded_at, row.row());
        let standing = kept.entry(row.key).or_insert_with(|| candidate.clone());
        if *standing < candidate {
            *standing = candidate;
        }
    }
    kept.into_values().map(|(_, row)| row + "\n").collect()
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("these types have string keys and finite numbers")
}

fn required<T: serde::de::DeserializeOwned>(
    fields: &mut Map<String, Value>,
    key: &str,
) -> Result<T, String> {
    optional(fields, key)?.ok_or_else(|| format!("the key `{key}` is missing"))
}

fn optional<T: serde::de::DeserializeOwned>(
    fields: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<T>, String> {
    let value = fields.shift_remove(key).filter(|value| !value.is_null());
    let read = value.map(serde_json::from_value).transpose();
    read.map_err(|error| format!("`{key}` cannot be read: {error}"))
}

/// Returns the column in characters of a column in bytes, both from 1.
fn column(text: &str, byte_column: usize) -> usize {
    let end = byte_column.saturating_sub(1).min(text.len());
    String::from_utf8_lossy(&text.as_bytes()[..end]).chars().count() + 1
}

#[cfg(test)]
mod tests;
