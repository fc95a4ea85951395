use std::collections::BTreeMap;

use catalog::{ProviderSettings, built_in_providers, read_providers};
use document::yaml::{self, Node};
use document::{Diagnostic, Diagnostics, Fields, SourceText, Span};
use evalset::Defaults;

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
    pub targets: BTreeMap<String, Node>,
    /// The programs that checks may call, by name.
    pub programs: BTreeMap<String, Node>,
    /// What eval sets inherit.
    pub defaults: Defaults,
    /// Which version of which prompt an environment uses.
    pub environments: BTreeMap<String, EnvironmentPins>,
}

/// The pins of one environment: version by prompt name.
pub type EnvironmentPins = BTreeMap<String, String>;

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
        if let Some(format) = fields.count("format", diagnostics).filter(|found| *found > FORMAT) {
            diagnostics.error_with_hint(
                "newer-format",
                fields.span(),
                format!(
                    "this project has format {format}, this program knows formats up to {FORMAT}"
                ),
                "update Trysquare",
            );
        }
        fields.text("name", diagnostics);
        if let Some(node) = fields.get("providers") {
            self.providers = read_providers(node, diagnostics);
        }
        self.targets = named_nodes(&mut fields, "targets", diagnostics);
        self.programs = named_nodes(&mut fields, "programs", diagnostics);
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

fn named_nodes(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, Node> {
    let entries = fields.mapping(key, diagnostics).unwrap_or_default();
    entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
}

fn read_pins(node: &Node, environment: &str, diagnostics: &mut Diagnostics) -> EnvironmentPins {
    let place = format!("the environment `{environment}`");
    let Some(mut fields) = Fields::open(node, &place, diagnostics) else {
        return EnvironmentPins::new();
    };
    let mut pins = EnvironmentPins::new();
    for entry in fields.mapping("prompts", diagnostics).unwrap_or_default() {
        if let Some(version) = entry.value.as_str() {
            pins.insert(entry.key.clone(), version.to_owned());
        } else {
            let message =
                format!("a pin must be a version in quotes, found {}", entry.value.kind());
            diagnostics.error("wrong-kind", entry.value.span, message);
        }
    }
    fields.warn_unknown(diagnostics);
    pins
}
