//! Targets and programs: the user's own code, behind HTTP or started where it is trusted.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::Timeouts;
use evalset::Case;
use project::{
    HttpDeclaration, ProgramDeclaration, Project, TargetDeclaration, TargetKind, TrustBlock,
};
use provider::{
    BadReading, BoundKey, Client, HttpTarget, HttpTargetSpec, ProgramCommand, ProgramTarget,
    Reading, Template, Trusted, run_program,
};
use run::{Call, Variant, VariantSource};
use score::ProgramAnswer;
use serde_json::{Value, json};
use settings::Settings;
use tokio::sync::watch;
use values::{ContentHash, Origin};

use crate::material::{Maker, Material};
use crate::permission::{Missing, key_for};
use crate::{AppError, Grants, Host};

/// The targets that a run's variants use.
#[derive(Clone, Default)]
pub(crate) struct Targets {
    http: BTreeMap<String, Arc<HttpTarget>>,
    programs: BTreeMap<String, Arc<ProgramTarget>>,
    keys: BTreeMap<String, Option<String>>,
    block: Option<Arc<TrustBlock>>,
}

/// A program that may run.
#[derive(Clone)]
pub(crate) struct TrustedProgram {
    command: ProgramCommand,
    trusted: Trusted,
}

impl TrustedProgram {
    /// Hands a check's question to the program.
    pub(crate) async fn ask(&self, body: &Value) -> ProgramAnswer {
        // The engine drops the question when a run is stopped at once, which kills the program.
        let (_never, stop) = watch::channel(false);
        match run_program(&self.command, &self.trusted, body, stop).await {
            Ok(run) => ProgramAnswer::Answered { stdout: run.stdout },
            Err(failure) => ProgramAnswer::Failed { reason: failure.message },
        }
    }
}

/// The environment variables that a program gets besides those that its declaration states: what
/// interpreters need to start, and nothing that could hold a secret.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT"];

fn command(
    host: &Host,
    root: &Path,
    declaration: &ProgramDeclaration,
    block: &TrustBlock,
) -> Option<ProgramCommand> {
    let passed =
        PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), (host.environment)(name)?)));
    let own = declaration.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let environment: BTreeMap<String, String> = passed.chain(own).collect();
    Some(ProgramCommand {
        name: declaration.name.clone(),
        command: declaration.command.iter().map(OsString::from).collect(),
        directory: root.to_owned(),
        environment: environment.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
        time_limit: Duration::from_millis(declaration.timeout_ms),
        max_output_bytes: usize::try_from(declaration.max_output_bytes).unwrap_or(usize::MAX),
        declaration: *block.programs.get(&declaration.name)?,
    })
}

/// Tells what is missing before the programs and model files of a block may be used: nothing if it
/// was trusted before, or is by this command.
pub(crate) fn missing_trust(
    settings: &Settings,
    grants: &Grants,
    root: &Path,
    block: &TrustBlock,
) -> Option<Missing> {
    let is_trusted = settings.is_trusted(root, block.hash) || grants.trust == Some(block.hash);
    (!is_trusted).then_some(Missing::Trust { hash: block.hash, given: grants.trust })
}

/// Returns the programs that checks may call; none where they are not trusted.
///
/// Blocking: the files that the declarations name are read.
pub(crate) fn trusted_programs(
    host: &Host,
    settings: &Settings,
    grants: &Grants,
    project: &Project,
) -> Result<BTreeMap<String, TrustedProgram>, AppError> {
    if project.config.programs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let block = project.trust_block()?;
    if missing_trust(settings, grants, &project.root, &block).is_some() {
        return Ok(BTreeMap::new());
    }
    let programs = project.config.programs.values().filter_map(|declaration| {
        let command = command(host, &project.root, declaration, &block)?;
        let trusted = Trusted::checked(command.declaration);
        Some((declaration.name.clone(), TrustedProgram { command, trusted }))
    });
    Ok(programs.collect())
}

impl Targets {
    /// Makes the targets that the variants name, able to prepare calls and, for HTTP without a key,
    /// to send. Blocking.
    pub(crate) fn declared(
        host: &Host,
        project: &Project,
        material: &Material,
        settings: &Settings,
    ) -> Result<Self, AppError> {
        Self::make(host, project, material, settings, None)
    }

    /// Makes the targets with what they need to send: keys, and trust in programs. Blocking.
    pub(crate) fn connected(
        host: &Host,
        project: &Project,
        material: &Material,
        settings: &Settings,
        grants: &Grants,
    ) -> Result<Self, AppError> {
        Self::make(host, project, material, settings, Some(grants))
    }

    fn make(
        host: &Host,
        project: &Project,
        material: &Material,
        settings: &Settings,
        grants: Option<&Grants>,
    ) -> Result<Self, AppError> {
        let trust = |block: &TrustBlock| {
            let missing = |grants| missing_trust(settings, grants, &project.root, block);
            grants.is_some_and(|grants| missing(grants).is_none())
        };
        let mut targets = Self::default();
        for ready in &material.variants {
            let Maker::Target(target) = &ready.maker else { continue };
            let name = &target.name;
            let declaration = declared(project, name)?;
            match &declaration.kind {
                TargetKind::Http(http) => {
                    let key = match grants {
                        Some(grants) => key_of(host, settings, grants, name, http)?,
                        None => None,
                    };
                    let target = http_target(settings, name, http, key)?;
                    targets.http.insert(name.clone(), Arc::new(target));
                    targets.keys.insert(name.clone(), http.key.clone());
                }
                TargetKind::Program { program, .. } => {
                    let target = targets.program(host, project, name, program, trust)?;
                    targets.programs.insert(name.clone(), Arc::new(target));
                }
            }
        }
        Ok(targets)
    }

    fn program(
        &mut self,
        host: &Host,
        project: &Project,
        target: &str,
        program: &str,
        is_trusted: impl Fn(&TrustBlock) -> bool,
    ) -> Result<ProgramTarget, AppError> {
        let missing = || {
            AppError::input(format!(
                "the target `{target}` names the program `{program}`, which is not declared"
            ))
            .with_hint("declare it under `programs:` in trysquare.yaml")
        };
        let declaration = project.config.programs.get(program).ok_or_else(missing)?;
        if self.block.is_none() {
            self.block = Some(Arc::new(project.trust_block()?));
        }
        let block = self.block.as_ref().ok_or_else(missing)?;
        let command = command(host, &project.root, declaration, block).ok_or_else(missing)?;
        let trusted = is_trusted(block).then(|| Trusted::checked(command.declaration));
        Ok(ProgramTarget::new(target, command, trusted))
    }

    /// Tells what the person has to allow before these targets may be used.
    pub(crate) fn missing(
        &self,
        settings: &Settings,
        grants: &Grants,
        root: &Path,
    ) -> Vec<Missing> {
        let mut missing = Vec::new();
        for (name, target) in &self.http {
            let origin = target.origin().clone();
            if !settings.may_send(root, &origin) && !grants.origins.contains(&origin) {
                let key = self.keys.get(name).cloned().flatten();
                missing.push(Missing::Origin { origin, provider: name.clone(), key });
            }
        }
        if let Some(block) = &self.block {
            missing.extend(missing_trust(settings, grants, root, block));
        }
        missing
    }

    /// Returns the origins that these targets send to.
    pub(crate) fn origins(&self) -> impl Iterator<Item = &Origin> {
        self.http.values().map(|target| target.origin())
    }

    /// Makes the call of a case.
    pub(crate) fn prepare(&self, name: &str, case: &Case) -> Result<Call, String> {
        let inputs = case.variables();
        if let Some(target) = self.http.get(name) {
            return target.prepare_case(&inputs).map_err(|error| error.to_string());
        }
        match self.programs.get(name) {
            Some(target) => Ok(target.prepare_case(&inputs)),
            None => Err(format!("there is no target `{name}`")),
        }
    }

    /// Returns what sends the calls of a target.
    pub(crate) fn client(&self, name: &str) -> Option<Arc<dyn Client>> {
        if let Some(target) = self.http.get(name) {
            return Some(Arc::clone(target) as Arc<dyn Client>);
        }
        self.programs.get(name).map(|target| Arc::clone(target) as Arc<dyn Client>)
    }
}

fn declared<'p>(project: &'p Project, name: &str) -> Result<&'p TargetDeclaration, AppError> {
    project.config.targets.get(name).ok_or_else(|| {
        AppError::input(format!("there is no target `{name}`"))
            .with_hint("declare it under `targets:` in trysquare.yaml")
    })
}

/// Describes what a target is: everything that decides what it answers. How long it may take, and
/// the key that it wants, do not. A program counts with the files that it names. Blocking.
pub(crate) fn describe(project: &Project, name: &str) -> Result<Value, AppError> {
    Ok(match &declared(project, name)?.kind {
        TargetKind::Http(http) => json!({
            "url": http.url,
            "headers": http.headers,
            "body": http.body,
            "answer": http.answer,
            "usage": http.usage,
            "documents": http.documents,
            "tool_calls": http.tool_calls,
        }),
        TargetKind::Program { program, .. } => {
            let hash = project.trust_block()?.programs.get(program).map(ToString::to_string);
            json!({ "program": program, "declaration": hash })
        }
    })
}

/// Returns the hash of a description of a target.
pub(crate) fn description_hash(described: &Value) -> ContentHash {
    ContentHash::of_document("trysquare-target-v1", described)
}

/// Refuses to go on with a run whose targets are declared otherwise now: half of its outputs would
/// come from another application. Blocking.
pub(crate) fn refuse_changed(project: &Project, variants: &[Variant]) -> Result<(), AppError> {
    for variant in variants {
        let VariantSource::Target { target, declaration: Some(then) } = &variant.source else {
            continue;
        };
        if description_hash(&describe(project, target)?) != *then {
            return Err(AppError::input(format!(
                "the target `{target}` is declared otherwise than when the run began"
            ))
            .with_hint("start a new run, or restore the declaration and the program's files"));
        }
    }
    Ok(())
}

fn key_of(
    host: &Host,
    settings: &Settings,
    grants: &Grants,
    name: &str,
    http: &HttpDeclaration,
) -> Result<Option<BoundKey>, AppError> {
    let Some(key) = &http.key else { return Ok(None) };
    let origin = crate::permission::parse_origin(&http.url)?;
    let secret = key_for(host, settings, grants, name, key, &origin)?;
    Ok(Some(BoundKey { secret, origin }))
}

fn http_target(
    settings: &Settings,
    name: &str,
    http: &HttpDeclaration,
    key: Option<BoundKey>,
) -> Result<HttpTarget, AppError> {
    let bad = |text: String| AppError::input(format!("the target `{name}`: {text}"));
    let reading = || {
        let mut response = Reading::new(&http.answer)?.usage(&http.usage)?;
        if let Some(path) = &http.documents {
            response = response.documents(path)?;
        }
        if let Some(path) = &http.tool_calls {
            response = response.tool_calls(path)?;
        }
        Ok::<_, BadReading>(response)
    };
    let spec = HttpTargetSpec {
        name: name.to_owned(),
        url: http.url.clone(),
        headers: http.headers.clone(),
        timeouts: Timeouts { total_ms: http.timeout_ms, ..Timeouts::default() },
        request: Template::new(&http.body).map_err(|error| bad(error.to_string()))?,
        response: reading().map_err(|error| bad(error.to_string()))?,
    };
    let network = crate::clients::network(settings)?;
    HttpTarget::new(spec, &network, key).map_err(|error| bad(error.to_string()))
}
