use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use catalog::{PriceList, Tariff};
use chat::{ModelRef, Protocol};
use document::SourceText;
use evalset::VariantSource;
use interchange::{PriceFormat, PriceImport, read_prices};
use project::{PRICE_LIST, Project};
use serde::Serialize;

use crate::{App, AppError};

/// The price of a model, and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriceView {
    /// `provider/model` of a model that the project uses; the model alone at an origin of a list.
    pub model: String,
    /// The origin at which the price holds; `None` inside this program.
    pub origin: Option<String>,
    /// What it costs; `None` is unknown.
    pub tariff: Option<Tariff>,
    /// Why it costs nothing, of a model that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_because: Option<&'static str>,
}

/// Why a model inside the program costs nothing.
pub(crate) const RUNS_HERE: &str = "it runs inside this program, on this machine";

/// A price list of another program to take over.
#[derive(Debug, Clone)]
pub struct PricesRequest {
    /// The file.
    pub file: PathBuf,
    /// Whose list it is.
    pub format: PriceFormat,
    /// Whether to take over every model, not only those that the project uses.
    pub all: bool,
}

/// What was taken over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PricesImported {
    /// The file that was written.
    pub file: String,
    /// Models whose price was written.
    pub written: Vec<String>,
    /// Models of the project that the list does not price, and why.
    pub unknown: Vec<(String, String)>,
    /// Models in the list that were left alone, because the project does not use them.
    pub others: usize,
}

impl App {
    /// Tells what the models of a project cost; with `all`, also those that only a list names.
    /// Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no project.
    pub fn prices(&self, folder: Option<&Path>, all: bool) -> Result<Vec<PriceView>, AppError> {
        let (project, _) = self.open(folder)?;
        let used = models_of(&project)?;
        let mut views: Vec<PriceView> =
            used.iter().map(|model| price_view(&project, model)).collect();
        if all {
            let mut origins = BTreeSet::new();
            for provider in project.config.providers.values() {
                let Some(Ok(origin)) = provider.origin() else { continue };
                if !origins.insert(origin.to_string()) {
                    continue;
                }
                views.extend(provider.listed.iter().map(|(model, tariff)| PriceView {
                    model: model.clone(),
                    origin: Some(origin.to_string()),
                    tariff: Some(Tariff::clone(tariff)),
                    free_because: None,
                }));
            }
        }
        Ok(views)
    }

    /// Takes prices over from another program's list into the project's `prices.jsonl`. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the file is no such list, or the project's own cannot be read.
    pub fn import_prices(
        &self,
        folder: Option<&Path>,
        request: &PricesRequest,
    ) -> Result<PricesImported, AppError> {
        let (project, _) = self.open(folder)?;
        let text = files::read_text(&request.file)?;
        let date = (self.host.now)().to_string();
        let date = date.get(..10).unwrap_or_default();
        let source = request.format.title();
        let import = read_prices(&text, request.format, date, source).map_err(|error| {
            AppError::input(format!("{}: {error}", request.file.display()))
                .with_hint("choose the kind of list with --from")
        })?;
        let path = project.root.join(PRICE_LIST);
        let mut list = own_list(&path)?;
        let wanted = wanted(&project, &list)?;
        let mut written = Vec::new();
        let mut others = 0;
        for row in &import.rows {
            if request.all || wanted.contains(&(row.origin.clone(), row.model.clone())) {
                written.push(row.model.clone());
                list.insert(row.clone());
            } else {
                others += 1;
            }
        }
        files::write_atomic(&path, list.to_text().as_bytes())?;
        let unknown = unpriced(&wanted, &import);
        Ok(PricesImported { file: PRICE_LIST.to_owned(), written, unknown, others })
    }
}

fn own_list(path: &Path) -> Result<PriceList, AppError> {
    if !path.is_file() {
        return Ok(PriceList::default());
    }
    let source = SourceText::new(PRICE_LIST, files::read_text(path)?);
    let (list, found) = PriceList::read(&source);
    if found.is_empty() {
        return Ok(list);
    }
    Err(AppError::input("the project's price list has errors, and writing it would lose them")
        .with_diagnostics(found))
}

/// The models whose price belongs into the project's list: those that it uses, and those that are
/// there already.
fn wanted(project: &Project, list: &PriceList) -> Result<BTreeSet<(String, String)>, AppError> {
    let mut wanted: BTreeSet<_> = list.rows().map(|row| (row.origin, row.model)).collect();
    for model in models_of(project)? {
        let provider = project.config.providers.get(&model.provider);
        if let Some(Ok(origin)) = provider.and_then(catalog::ProviderSettings::origin) {
            wanted.insert((origin.to_string(), model.model));
        }
    }
    Ok(wanted)
}

fn unpriced(wanted: &BTreeSet<(String, String)>, import: &PriceImport) -> Vec<(String, String)> {
    let priced = |origin: &str, model: &str| {
        import.rows.iter().any(|row| row.origin == origin && row.model == model)
    };
    let why = |origin: &str, model: &str| {
        let skipped = import.skipped.iter().find(|one| one.origin == origin && one.model == model);
        skipped.map_or("the list does not name it", |one| one.why).to_owned()
    };
    let left = wanted.iter().filter(|(origin, model)| !priced(origin, model));
    left.map(|(origin, model)| (model.clone(), why(origin, model))).collect()
}

/// Returns every model that a prompt, a judge or a variant of the project names, sorted.
pub(crate) fn models_of(project: &Project) -> Result<Vec<ModelRef>, AppError> {
    let mut models = BTreeSet::new();
    let files = project.prompts.values().chain(project.judges.values());
    for linked in files.filter_map(|file| file.linked.as_ref()) {
        models.extend(linked.prompt().front_matter.model.clone());
    }
    for name in &project.eval_sets {
        let (folder, _) = project.eval_set(name).map_err(|error| crate::open_error(&error))?;
        let variants = folder.set.map(|set| set.variants).unwrap_or_default();
        for variant in variants {
            if let (VariantSource::Prompt(_), Some(model)) = (variant.source, variant.model) {
                models.insert(model.to_string());
            }
        }
    }
    Ok(models.iter().filter_map(|model| model.parse().ok()).collect())
}

fn price_view(project: &Project, model: &ModelRef) -> PriceView {
    let provider = project.config.providers.get(&model.provider);
    let origin = provider.and_then(|one| one.origin()?.ok()).map(|origin| origin.to_string());
    let is_here = provider.is_some_and(|one| one.protocol == Protocol::Embedded);
    let tariff = provider.and_then(|one| one.tariff(&model.model));
    PriceView {
        model: model.to_string(),
        origin,
        tariff: tariff.map(|tariff| Tariff::clone(&tariff)),
        free_because: is_here.then_some(RUNS_HERE),
    }
}
