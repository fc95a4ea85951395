//! What a person trusts: the programs and model files that the project declares, with the content of
//! every file of the project that they name.

use std::collections::BTreeMap;
use std::path::Path;

use catalog::ModelFacts;
use serde_json::{Map, Value, json};
use values::ContentHash;

use crate::{ProgramDeclaration, Project};

/// Everything in a project that can run or be loaded by native code, as it is shown to the person.
#[derive(Debug, Clone, PartialEq)]
pub struct TrustBlock {
    /// The identity of the whole block: trust is given to this.
    pub hash: ContentHash,
    /// The declarations and hashes, for showing and for comparing with what was trusted before.
    pub shown: Value,
    /// The identity of each program alone, with the files that it names.
    pub programs: BTreeMap<String, ContentHash>,
    /// The SHA-256 of each model file, by `provider/model`; none for one that is not there.
    pub models: BTreeMap<String, ContentHash>,
}

impl TrustBlock {
    /// Tells whether there is nothing to trust.
    pub fn is_empty(&self) -> bool {
        self.shown == empty()
    }
}

fn empty() -> Value {
    json!({ "models": {}, "programs": {} })
}

impl Project {
    /// Returns the block that a person must trust before a program of this project runs or a model
    /// file of it is loaded. The built-in model needs no trust.
    ///
    /// Reads the files that the declarations name, so the answer is that of this instant.
    ///
    /// # Errors
    /// [`files::FileError`] if such a file exists and cannot be read.
    pub fn trust_block(&self) -> Result<TrustBlock, files::FileError> {
        let mut shown = Map::new();
        let mut programs = BTreeMap::new();
        for (name, program) in &self.config.programs {
            let described = describe_program(&self.root, program)?;
            let hash = ContentHash::of_document("trysquare-program-v1", &described);
            programs.insert(name.clone(), hash);
            shown.insert(name.clone(), described);
        }
        let (mut models, mut model_hashes) = (Map::new(), BTreeMap::new());
        for (name, provider) in &self.config.providers {
            for (model, facts) in &provider.models {
                if let Some(file) = &facts.file {
                    let hash = model_hash(&self.root, file, facts)?;
                    let described =
                        json!({ "file": file, "sha256": hash.map(|one| one.to_string()) });
                    let model = format!("{name}/{model}");
                    models.insert(model.clone(), described);
                    model_hashes.extend(hash.map(|hash| (model, hash)));
                }
            }
        }
        let shown = json!({ "models": models, "programs": shown });
        let hash = ContentHash::of_document("trysquare-trust-v1", &shown);
        Ok(TrustBlock { hash, shown, programs, models: model_hashes })
    }
}

fn describe_program(root: &Path, program: &ProgramDeclaration) -> Result<Value, files::FileError> {
    let mut named = Map::new();
    for argument in &program.command {
        for path in paths_in(argument) {
            if let Some(hash) = hash_inside(root, path)? {
                named.insert(path.to_owned(), json!(hash.to_string()));
            }
        }
    }
    Ok(json!({
        "command": program.command,
        "environment": program.environment,
        "files": named,
        "max_output_bytes": program.max_output_bytes,
        "timeout_ms": program.timeout_ms,
    }))
}

/// Returns what an argument may name a file by: the whole of it, each of its words, as in
/// `sh -c "python3 tools/x.py"`, and of both what stands behind the first `=`, as in
/// `--rules=tools/rules.txt`.
fn paths_in(argument: &str) -> impl Iterator<Item = &str> {
    let words =
        argument.split(|symbol: char| symbol.is_whitespace() || "\"';&|()<>".contains(symbol));
    let whole = std::iter::once(argument).chain(words).filter(|path| !path.is_empty());
    whole.flat_map(|path| [Some(path), path.split_once('=').map(|(_, value)| value)]).flatten()
}

fn model_hash(
    root: &Path,
    file: &str,
    facts: &ModelFacts,
) -> Result<Option<ContentHash>, files::FileError> {
    // Model files are large: a stated hash is checked when the file is loaded.
    match facts.sha256 {
        Some(stated) => Ok(Some(stated)),
        None => hash_inside(root, file),
    }
}

/// Returns the hash of a file that is inside the project by its name or by where it leads.
fn hash_inside(root: &Path, path: &str) -> Result<Option<ContentHash>, files::FileError> {
    let joined = root.join(path);
    let real = joined.canonicalize().ok().filter(|real| real.is_file());
    let Some(real) = real.filter(|real| joined.starts_with(root) || real.starts_with(root)) else {
        return Ok(None);
    };
    files::hash_file(&real).map(Some)
}
