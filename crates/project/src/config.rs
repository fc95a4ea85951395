use std::collections::BTreeMap;

use catalog::{ProviderSettings, built_in_providers, read_providers};
use document::yaml::{self, Entry, Node};
use document::{Diagnostic, Diagnostics, Fields, SourceText, Span};
use evalset::Defaults;

use values::{ContentHash, Timestamp};

use crate::{ProgramDeclaration, TargetDeclaration};

/// The format version of `trysquare.yaml` that this program knows.
const FORMAT: u64 = 1;

/// `trysquare.yaml` as it was read.
#[derive(Debug, Clone)]
pub struct ProjectConfig {
    /// The text, for positions and edits.
    pub source: SourceText,
    /// Providers by name, the built-in ones included.
    pub providers: BTreeMap<String, ProviderSettings>,
    /// What the person's own applications are, by name.
    pub targets: BTreeMap<String, TargetDeclaration>,
    /// The programs that checks and targets may call, by name.
    pub programs: BTreeMap<String, ProgramDeclaration>,
    /// What eval sets inherit.
    pub defaults: Defaults,
    /// Which version of which prompt an environment uses.
    pub environments: BTreeMap<String, EnvironmentPins>,
}

/// The pins of one environment, by prompt name.
pub type EnvironmentPins = BTreeMap<String, Pin>;

/// The version of a prompt that an environment uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The version: 64 hex digits, or their first 12.
    pub version: String,
    /// Where it stands in `trysquare.yaml`.
    pub span: Span,
    /// Where the prompt's name stands.
    pub name_span: Span,
    /// Why it was pinned although no committed baseline names the version, if it was.
    pub overridden: Option<PinOverride>,
}

/// Why a version was pinned that no committed baseline names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinOverride {
    /// What a person gave as the reason.
    pub reason: String,
    /// When.
    pub at: Option<Timestamp>,
}

impl Pin {
    /// Tells whether this pins a version.
    pub fn is_of(&self, version: &ContentHash) -> bool {
        version.to_string().starts_with(&self.version)
    }
}

impl ProjectConfig {
    /// Reads `trysquare.yaml`; what cannot be read is reported and left at its default.
    pub fn read(source: SourceText) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new(source.clone());
        let mut config = Self {
            source,
            providers: built_in_providers(),
            targets: BTreeMap::new(),
            programs: BTreeMap::new(),
            defaults: Defaults::default(),
            environments: BTreeMap::new(),
        };
        let whole = Span::new(0, config.source.text().len());
        if let Some(node) = yaml::parse(whole, &mut diagnostics) {
            config.read_node(&node, &mut diagnostics);
        }
        (config, diagnostics.into_vec())
    }

    fn read_node(&mut self, node: &Node, diagnostics: &mut Diagnostics) {
        let Some(mut fields) = Fields::open(node, "trysquare.yaml", diagnostics) else { return };
        let span = fields.get("format").map(|node| node.span);
        if let (Some(span), Some(format)) = (span, fields.count("format", diagnostics))
            && format != FORMAT
        {
            let message = format!("found format {format}, expected {FORMAT}");
            let hint = "a newer Trysquare wrote this project; update yours";
            diagnostics.error_with_hint("format", span, message, hint);
        }
        fields.text("name", diagnostics);
        if let Some(node) = fields.get("providers") {
            self.providers = read_providers(node, diagnostics);
        }
        self.programs = named(&mut fields, "programs", diagnostics, ProgramDeclaration::read);
        self.targets = named(&mut fields, "targets", diagnostics, TargetDeclaration::read);
        if let Some(node) = fields.get("defaults") {
            self.defaults = Defaults::read(node, diagnostics);
        }
        for entry in fields.mapping("environments", diagnostics).unwrap_or_default() {
            let pins = read_pins(&entry.value, &entry.key, diagnostics);
            self.environments.insert(entry.key.clone(), pins);
        }
        fields.warn_unknown(diagnostics);
    }
}

fn named<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
    read: impl Fn(&Entry, &mut Diagnostics) -> Option<T>,
) -> BTreeMap<String, T> {
    let entries = fields.mapping(key, diagnostics).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), read(entry, diagnostics)?)))
        .collect()
}

fn read_pins(node: &Node, environment: &str, diagnostics: &mut Diagnostics) -> EnvironmentPins {
    let place = format!("the environment `{environment}`");
    let Some(mut fields) = Fields::open(node, &place, diagnostics) else {
        return EnvironmentPins::new();
    };
    let mut pins = EnvironmentPins::new();
    for entry in fields.mapping("prompts", diagnostics).unwrap_or_default() {
        let span = entry.value.span;
        let Some(version) = entry.value.as_str() else {
            let message =
                format!("a pin must be a version in quotes, found {}", entry.value.kind());
            diagnostics.error_with_hint("wrong-kind", span, message, "put it in quotes");
            continue;
        };
        let hex = version.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if !hex || ![12, 64].contains(&version.len()) {
            let message = format!("found `{version}` as a version, expected 12 or 64 hex digits");
            diagnostics.error("pin", span, message);
            continue;
        }
        let pin =
            Pin { version: version.to_owned(), span, name_span: entry.key_span, overridden: None };
        pins.insert(entry.key.clone(), pin);
    }
    for entry in fields.mapping("overrides", diagnostics).unwrap_or_default() {
        let overridden = read_override(entry, diagnostics);
        if let Some(pin) = pins.get_mut(&entry.key) {
            pin.overridden = overridden;
        } else {
            let message =
                format!("this is the reason of a pin of `{}`, which is not pinned", entry.key);
            diagnostics.warning("unknown-pin", entry.key_span, message);
        }
    }
    fields.warn_unknown(diagnostics);
    pins
}

fn read_override(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<PinOverride> {
    let mut fields = Fields::open(&entry.value, "the reason of a pin", diagnostics)?;
    fields.required("reason", diagnostics);
    let reason = fields.text("reason", diagnostics).map(str::to_owned);
    let at = fields.text("at", diagnostics).map(str::parse::<Timestamp>);
    let at = match at {
        Some(Ok(at)) => Some(at),
        Some(Err(error)) => {
            let span = fields.get("at").map_or(entry.key_span, |node| node.span);
            diagnostics.error("pin", span, error.to_string());
            None
        }
        None => None,
    };
    fields.warn_unknown(diagnostics);
    Some(PinOverride { reason: reason?, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TargetKind;

    fn read(text: &str) -> (ProjectConfig, Vec<Diagnostic>) {
        ProjectConfig::read(SourceText::new("trysquare.yaml", text))
    }

    #[test]
    fn a_full_file_is_read() {
        let (config, found) = read(
            "format: 1\nname: shop\nproviders: {ollama: {concurrency: 1}}\n\
             programs:\n  lint: {command: [python3, tools/lint.py], timeout_s: 5, environment: {A: b}}\n\
             targets:\n  cli: {program: lint}\n  web:\n    url: http://localhost:1/x\n    key: shop\n    \
             headers: {x-team: a}\n    body: {q: '{{message}}'}\n    answer: $.text\n    \
             usage: {input_uncached: $.u.in}\n    documents: $.docs\n    timeout_s: 3\n\
             defaults: {margin: 0.05, samples: 2}\n\
             environments: {production: {prompts: {triage: '0123456789ab'}, overrides: {triage: {reason: hotfix}}}}\n",
        );
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(config.programs["lint"].timeout_ms, 5_000);
        assert_eq!(config.programs["lint"].environment["A"], "b");
        let TargetKind::Http(web) = &config.targets["web"].kind else { panic!("an endpoint") };
        assert_eq!((web.answer.as_str(), web.timeout_ms), ("$.text", 3_000));
        assert_eq!(web.usage["input_uncached"], "$.u.in");
        let pin = &config.environments["production"]["triage"];
        assert_eq!(pin.version, "0123456789ab");
        assert_eq!(pin.overridden.as_ref().map(|one| one.reason.as_str()), Some("hotfix"));
        assert_eq!(config.defaults.margin, Some(0.05));
    }

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let page = include_str!("../../../docs/formats/trysquare-yaml.md");
        let yaml = page.split("```yaml\n").nth(1).and_then(|block| block.split("```").next());
        let (config, found) = read(yaml.unwrap());
        assert!(found.is_empty(), "{found:?}");
        assert_eq!((config.targets.len(), config.programs.len()), (2, 1));
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let text = "format: 9\nproviderz: {}\n\
            programs:\n  a: {command: python3 x.py}\n  b: {command: []}\n  c: {command: [x, 1]}\n  d: {}\n\
            targets:\n  a: {url: 'ftp://x', body: {}, answer: $.a}\n  b: {url: 'http://x', answer: a}\n  \
            c: {}\n  d: {url: 'http://x', body: 1, answer: $.a, headers: {Authorization: x}, usage: {input: $.a}}\n\
            environments:\n  prod: {prompts: {a: 12, b: v1}, prompt: {}, overrides: {c: {at: now}}}\n";
        let mut out = String::new();
        for found in read(text).1 {
            let at = found.position.unwrap();
            out.push_str(&format!("{}:{} {}: {}\n", at.line, at.column, found.code, found.message));
        }
        insta::assert_snapshot!(out, @r#"
        1:9 format: found format 9, expected 1
        2:1 unknown-key: unknown key `providerz` in trysquare.yaml
        4:16 wrong-kind: `command` of the program `a` must be a list, found text
        5:3 program: `command` of the program `b` names no program
        6:20 wrong-kind: `command` must hold text, found a number
        7:6 missing-key: the program `d` needs the key `command`
        9:12 bad-url: `ftp://x` has no usable origin: expected http or https
        10:6 missing-key: the target `b` needs the key `body`
        10:32 json-path: `answer` is not a JSON path: it cannot be read from character 1 on
        11:3 target: the target `c` needs either `url` or `program`
        12:55 secret-header: the header `Authorization` carries a secret and does not belong in a file
        12:83 unknown-key: unknown key `input` in `usage` of the target `d`
        14:23 wrong-kind: a pin must be a version in quotes, found a number
        14:30 pin: found `v1` as a version, expected 12 or 64 hex digits
        14:35 unknown-key: unknown key `prompt` in the environment `prod`
        14:59 unknown-pin: this is the reason of a pin of `c`, which is not pinned
        14:62 missing-key: the reason of a pin needs the key `reason`
        14:67 pin: `now` is not a time: expected RFC 3339 such as 2026-11-20T09:30:00Z
        "#);
    }
}
