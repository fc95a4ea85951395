//! Whether the bodies that targets are sent can be filled, which a plan would otherwise be the first
//! to say.

use std::collections::{BTreeMap, BTreeSet};

use document::{Diagnostic, Diagnostics};
use evalset::VariantSource;
use project::{EvalSetFolder, HttpDeclaration, Project, TargetDeclaration, TargetKind};
use provider::Template;

/// Returns what is wrong with the bodies themselves, and where a case does not bind what they ask
/// for. Blocking.
pub(super) fn check(project: &Project) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new(project.config.source.clone());
    let mut usable = BTreeMap::new();
    for target in project.config.targets.values() {
        let Some(http) = http_of(target) else { continue };
        match Template::new(&http.body) {
            Ok(template) => {
                usable.insert(target.name.as_str(), (template, http));
            }
            Err(error) => {
                let message = format!("the target `{}`: {error}", target.name);
                diagnostics.error("target-body", http.body_span, message);
            }
        }
    }
    // What cannot be read was said already.
    let sets = project.eval_sets.iter().filter_map(|set| project.eval_set(set).ok());
    for (folder, _) in sets {
        for name in targets_of(&folder) {
            if let Some((template, http)) = usable.get(name.as_str()) {
                check_cases(&name, template, http, &folder, &mut diagnostics);
            }
        }
    }
    diagnostics.into_vec()
}

fn http_of(target: &TargetDeclaration) -> Option<&HttpDeclaration> {
    match &target.kind {
        TargetKind::Http(http) => Some(http),
        TargetKind::Program { .. } => None,
    }
}

fn targets_of(folder: &EvalSetFolder) -> BTreeSet<String> {
    let variants = folder.set.iter().flat_map(|set| &set.variants);
    let named = variants.filter_map(|variant| match &variant.source {
        VariantSource::Target(target) => Some(target.name.clone()),
        VariantSource::Prompt(_) => None,
    });
    named.collect()
}

/// Reports each input that is missing once, with the first case that lacks it.
fn check_cases(
    name: &str,
    template: &Template,
    http: &HttpDeclaration,
    folder: &EvalSetFolder,
    diagnostics: &mut Diagnostics,
) {
    let mut lacking: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for case in folder.cases.iter() {
        if let Err(error) = template.fill(&case.variables()) {
            let first = lacking.entry(error.to_string()).or_insert_with(|| (case.id.clone(), 0));
            first.1 += usize::from(first.0 != case.id);
        }
    }
    for (problem, (first, more)) in lacking {
        let others = if more == 0 { String::new() } else { format!(" and {more} more") };
        let set = &folder.name;
        let message = format!(
            "the target `{name}`: {problem} (case `{first}`{others}), in the eval set `{set}`"
        );
        let hint = "bind it in the case's `inputs`";
        diagnostics.error_with_hint("unbound-variable", http.body_span, message, hint);
    }
}
