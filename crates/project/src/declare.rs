//! What `trysquare.yaml` declares beside providers: programs and targets.

use std::collections::BTreeMap;

use document::yaml::{Entry, Node};
use document::{Diagnostics, Fields, Span};
use evalset::check::JsonPath;
use serde_json::Value;
use values::Origin;

/// How long a program may run unless its declaration says otherwise.
const PROGRAM_TIMEOUT_MS: u64 = 30_000;
/// How long an endpoint may take unless its declaration says otherwise.
const ENDPOINT_TIMEOUT_MS: u64 = 120_000;
/// How much a program may write unless its declaration says otherwise.
const MAX_OUTPUT_BYTES: u64 = 4 << 20;

/// A program that checks and targets refer to by name. It runs only where its block is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramDeclaration {
    /// Its name.
    pub name: String,
    /// Where the name stands in `trysquare.yaml`.
    pub span: Span,
    /// The program and its arguments, started without a shell in the project's folder.
    pub command: Vec<String>,
    /// Environment variables that it gets. Nothing else of the environment is promised.
    pub environment: BTreeMap<String, String>,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u64,
    /// The most bytes that it may write.
    pub max_output_bytes: u64,
}

/// The user's own application under test.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetDeclaration {
    /// Its name.
    pub name: String,
    /// Where the name stands in `trysquare.yaml`.
    pub span: Span,
    /// What it is.
    pub kind: TargetKind,
}

/// What a target is.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetKind {
    /// A declared program: JSON on standard input and output.
    Program {
        /// The program's name.
        program: String,
        /// Where it stands.
        span: Span,
    },
    /// An HTTP endpoint that takes and gives JSON.
    Http(Box<HttpDeclaration>),
}

/// An HTTP JSON endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpDeclaration {
    /// Its address.
    pub url: String,
    /// The name of the key that it wants.
    pub key: Option<String>,
    /// Headers without secrets.
    pub headers: BTreeMap<String, String>,
    /// The request's body, with `{{name}}` where an input stands.
    pub body: Value,
    /// Where the body stands in `trysquare.yaml`.
    pub body_span: Span,
    /// The JSON path of the answer.
    pub answer: String,
    /// The JSON path of each bucket of usage that it reports, by the bucket's name.
    pub usage: BTreeMap<String, String>,
    /// The JSON path of the documents that it retrieved.
    pub documents: Option<String>,
    /// The JSON path of its tool calls.
    pub tool_calls: Option<String>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u64,
}

impl ProgramDeclaration {
    pub(crate) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Self> {
        let place = format!("the program `{}`", entry.key);
        let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
        fields.required("command", diagnostics)?;
        let items = fields.list("command", diagnostics)?;
        let command: Vec<_> =
            items.iter().filter_map(|item| text_of(item, "command", diagnostics)).collect();
        if command.len() == items.len() && command.first().is_none_or(String::is_empty) {
            let message = format!("`command` of {place} names no program");
            diagnostics.error("program", entry.key_span, message);
        }
        let declaration = Self {
            name: entry.key.clone(),
            span: entry.key_span,
            command,
            environment: texts(&mut fields, "environment", diagnostics),
            timeout_ms: seconds(&mut fields, diagnostics).unwrap_or(PROGRAM_TIMEOUT_MS),
            max_output_bytes: fields
                .count("max_output_bytes", diagnostics)
                .unwrap_or(MAX_OUTPUT_BYTES),
        };
        fields.warn_unknown(diagnostics);
        Some(declaration)
    }
}

impl TargetDeclaration {
    pub(crate) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Self> {
        let place = format!("the target `{}`", entry.key);
        let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
        let kind = match (fields.get("program"), fields.get("url")) {
            (Some(node), None) => TargetKind::Program {
                program: text_of(node, "program", diagnostics)?,
                span: node.span,
            },
            (None, Some(node)) => {
                let http = HttpDeclaration::read(node, &place, &mut fields, diagnostics)?;
                TargetKind::Http(Box::new(http))
            }
            _ => {
                let message = format!("{place} needs either `url` or `program`");
                diagnostics.error("target", entry.key_span, message);
                return None;
            }
        };
        fields.warn_unknown(diagnostics);
        Some(Self { name: entry.key.clone(), span: entry.key_span, kind })
    }
}

impl HttpDeclaration {
    fn read(
        url: &Node,
        place: &str,
        fields: &mut Fields<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let address = text_of(url, "url", diagnostics)?;
        if let Err(error) = Origin::of_url(&address) {
            diagnostics.error("bad-url", url.span, error.to_string());
            return None;
        }
        let body = fields.required("body", diagnostics);
        fields.required("answer", diagnostics);
        let answer = path(fields, "answer", diagnostics);
        let usage = usage_paths(fields, place, diagnostics);
        let headers = texts(fields, "headers", diagnostics);
        let place = fields.get("headers").map_or(url.span, |node| node.span);
        for (name, value) in &headers {
            catalog::refuse_header(name, value, place, diagnostics);
        }
        Some(Self {
            url: address,
            key: fields.text("key", diagnostics).map(str::to_owned),
            headers,
            documents: path(fields, "documents", diagnostics),
            tool_calls: path(fields, "tool_calls", diagnostics),
            timeout_ms: seconds(fields, diagnostics).unwrap_or(ENDPOINT_TIMEOUT_MS),
            usage,
            body: body?.to_json(),
            body_span: body?.span,
            answer: answer?,
        })
    }
}

const BUCKETS: [&str; 6] = [
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output_visible",
    "output_reasoning",
];

fn usage_paths(
    fields: &mut Fields<'_>,
    place: &str,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let Some(node) = fields.get("usage") else { return BTreeMap::new() };
    let place = format!("`usage` of {place}");
    let Some(mut usage) = Fields::open(node, &place, diagnostics) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for bucket in BUCKETS {
        found.extend(path(&mut usage, bucket, diagnostics).map(|path| (bucket.to_owned(), path)));
    }
    usage.warn_unknown(diagnostics);
    found
}

fn path(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let node = fields.get(key)?;
    let text = text_of(node, key, diagnostics)?;
    if let Err(reason) = JsonPath::parse(&text) {
        let message = format!("`{key}` is not a JSON path: {reason}");
        diagnostics.error_with_hint("json-path", node.span, message, "for example `$.answer`");
        return None;
    }
    Some(text)
}

fn seconds(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<u64> {
    let span = fields.get("timeout_s")?.span;
    let seconds = fields.count("timeout_s", diagnostics)?;
    if seconds == 0 {
        diagnostics.error("out-of-range", span, "`timeout_s` must be 1 or more");
        return None;
    }
    Some(seconds.saturating_mul(1_000))
}

fn texts(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, String> {
    let entries = fields.mapping(key, diagnostics).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            Some((entry.key.clone(), text_of(&entry.value, &entry.key, diagnostics)?))
        })
        .collect()
}

fn text_of(node: &Node, key: &str, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = node.as_str().map(str::to_owned);
    if text.is_none() {
        let message = format!("`{key}` must hold text, found {}", node.kind());
        diagnostics.error_with_hint("wrong-kind", node.span, message, "put it in quotes");
    }
    text
}
