use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use catalog::{ProviderSettings, Unbounded, input_token_bound};
use chat::{ModelRef, Protocol, Request};
use engine::{Calls, Costing, PreparedCell};
use provider::{Client, Replay};
use run::{Bill, Call, Failure, FailureKind, PlannedCell, Retry};

use crate::bridge;
use crate::clients::{Clients, client_key};
use crate::judging::Asking;
use crate::material::{Maker, Material, ReadyPrompt, ReadyVariant};
use crate::media;
use crate::target::Targets;

/// Renders cells into calls.
pub(crate) struct RunCalls {
    renderer: Arc<Renderer>,
}

struct Renderer {
    material: Arc<Material>,
    providers: BTreeMap<String, ProviderSettings>,
    clients: Clients,
    targets: Targets,
    replay: Option<Arc<Replay>>,
    replaying: Mutex<BTreeMap<(String, u32), Arc<dyn Client>>>,
    root: PathBuf,
    /// What judges are asked about, in a judging run.
    asking: Option<Asking>,
    /// By variant: whether it may read files and encode them.
    reads_files: Vec<bool>,
}

impl RunCalls {
    /// Makes the port. With `replay`, recordings answer and `clients` only prepare.
    pub(crate) fn new(
        material: Arc<Material>,
        providers: BTreeMap<String, ProviderSettings>,
        clients: Clients,
        targets: Targets,
        replay: Option<Arc<Replay>>,
        root: PathBuf,
        asking: Option<Asking>,
    ) -> Self {
        let replaying = Mutex::default();
        let reads_files = material
            .variants
            .iter()
            .map(|ready| matches!(&ready.maker, Maker::Prompt(prompt) if prompt.may_send_media()))
            .collect();
        let renderer = Renderer {
            material,
            providers,
            clients,
            targets,
            replay,
            replaying,
            root,
            asking,
            reads_files,
        };
        Self { renderer: Arc::new(renderer) }
    }

    /// Renders one cell, on the thread that asks.
    pub(crate) fn prepare_now(&self, cell: &PlannedCell) -> Result<PreparedCell, Box<Failure>> {
        self.renderer.prepare(cell)
    }

    /// Renders one cell, and returns the request that the call was made of, on the thread that asks; none
    /// for a target.
    pub(crate) fn request_now(
        &self,
        cell: &PlannedCell,
    ) -> Result<Option<(Request, PreparedCell)>, Box<Failure>> {
        let renderer = &self.renderer;
        match &renderer.variant(cell)?.maker {
            Maker::Prompt(prompt) => {
                let request = renderer.request(prompt, cell)?;
                let prepared = renderer.call_of(prompt, request.clone(), cell.sample)?;
                Ok(Some((request, prepared)))
            }
            Maker::Target(_) | Maker::Nothing => Ok(None),
        }
    }

    /// Makes the call of a request to the model of a prompt, for the k-th repetition.
    pub(crate) fn prepare_request(
        &self,
        prompt: &ReadyPrompt,
        request: Request,
        sample: u32,
    ) -> Result<PreparedCell, Box<Failure>> {
        self.renderer.call_of(prompt, request, sample)
    }

    /// Tells whether a recording answers a cell.
    pub(crate) fn is_recorded(&self, prepared: &PreparedCell, cell: &PlannedCell) -> bool {
        let replay = self.renderer.replay.as_ref();
        replay.is_some_and(|replay| replay.find(&prepared.call, cell.sample).is_some())
    }
}

impl Renderer {
    /// Tells whether a cell may read files and encode them, or the record.
    fn reads_files(&self, cell: &PlannedCell) -> bool {
        if self.asking.is_some() {
            return true;
        }
        let index = usize::try_from(cell.variant).unwrap_or(usize::MAX);
        self.reads_files.get(index).copied().unwrap_or(false)
    }

    fn variant(&self, cell: &PlannedCell) -> Result<&ReadyVariant, Box<Failure>> {
        usize::try_from(cell.variant)
            .ok()
            .and_then(|index| self.material.variants.get(index))
            .ok_or_else(|| refused("the plan names a variant that the run does not have"))
    }

    fn prepare(&self, cell: &PlannedCell) -> Result<PreparedCell, Box<Failure>> {
        match &self.variant(cell)?.maker {
            Maker::Prompt(prompt) => self.call_of(prompt, self.request(prompt, cell)?, cell.sample),
            Maker::Target(target) => self.target_call(&target.name, cell),
            Maker::Nothing => Err(refused("these outputs were made elsewhere")),
        }
    }

    fn request(&self, prompt: &ReadyPrompt, cell: &PlannedCell) -> Result<Request, Box<Failure>> {
        let case = self.case(cell)?;
        let request = match &self.asking {
            Some(asking) => asking.request(prompt, &case, cell),
            None => {
                prompt.request(case.variables(), cell.sample).map_err(|error| error.to_string())
            }
        };
        request.map_err(|text| refused(&text))
    }

    fn call_of(
        &self,
        prompt: &ReadyPrompt,
        mut request: Request,
        sample: u32,
    ) -> Result<PreparedCell, Box<Failure>> {
        media::embed(&self.root, &mut request).map_err(|text| refused(&text))?;
        let ModelRef { provider, model } = &prompt.model;
        let settings = self
            .providers
            .get(provider)
            .ok_or_else(|| refused(&format!("there is no provider `{provider}`")))?;
        let most = settings.max_output_tokens(model, request.sampling.max_output_tokens);
        request.sampling.max_output_tokens = Some(most);
        if settings.protocol == Protocol::Embedded {
            let seed = request.sampling.seed.unwrap_or_else(|| u64::from(sample));
            request.sampling.seed = Some(seed);
        }
        let key = client_key(settings, &prompt.model);
        let client = self.client(&key, &self.clients, sample)?;
        let call = client.prepare(&request).map_err(|error| {
            let mut failure = refused(&error.message);
            failure.hint = error.hint;
            failure
        })?;
        let tariff = settings.tariff(model);
        let free = self.replay.is_some() || settings.protocol == Protocol::Embedded;
        let costing = match tariff {
            tariff if free => Costing::Free { tariff },
            Some(tariff) => match input_token_bound(&request) {
                Ok(input) => {
                    let worst_case = tariff.worst_case(input, most);
                    Costing::Priced { tariff, worst_case }
                }
                Err(why) => Costing::Unknown { why },
            },
            None => Costing::Unknown { why: Unbounded::Price },
        };
        Ok(PreparedCell { call: Arc::new(call), client, costing })
    }

    fn target_call(&self, target: &str, cell: &PlannedCell) -> Result<PreparedCell, Box<Failure>> {
        let case = self.case(cell)?;
        let call: Call = self.targets.prepare(target, &case).map_err(|text| refused(&text))?;
        let client = self.target_client(target, cell.sample)?;
        let costing = match &self.replay {
            Some(_) => Costing::Free { tariff: None },
            None => Costing::Unknown { why: Unbounded::Price },
        };
        Ok(PreparedCell { call: Arc::new(call), client, costing })
    }

    fn case(&self, cell: &PlannedCell) -> Result<evalset::Case, Box<Failure>> {
        let case = self.material.cases.get(&cell.case_id);
        case.ok_or_else(|| refused(&format!("the case `{}` is gone", cell.case_id)))
    }

    fn client(
        &self,
        name: &str,
        among: &Clients,
        sample: u32,
    ) -> Result<Arc<dyn Client>, Box<Failure>> {
        let client =
            among.get(name).ok_or_else(|| refused(&format!("there is no client for `{name}`")))?;
        Ok(self.replayed(name, client, sample))
    }

    fn target_client(&self, name: &str, sample: u32) -> Result<Arc<dyn Client>, Box<Failure>> {
        let client = self
            .targets
            .client(name)
            .ok_or_else(|| refused(&format!("there is no target `{name}`")))?;
        Ok(self.replayed(name, &client, sample))
    }

    /// Returns the client that answers from recordings in place of another, where that is asked for.
    fn replayed(&self, name: &str, client: &Arc<dyn Client>, sample: u32) -> Arc<dyn Client> {
        let Some(replay) = &self.replay else { return Arc::clone(client) };
        let mut replaying = self.replaying.lock().unwrap_or_else(PoisonError::into_inner);
        let replayed = replaying
            .entry((name.to_owned(), sample))
            .or_insert_with(|| Arc::new(replay.client(sample, Arc::clone(client))));
        Arc::clone(replayed)
    }
}

fn refused(message: &str) -> Box<Failure> {
    Box::new(Failure {
        kind: FailureKind::InvalidRequest,
        message: message.to_owned(),
        hint: None,
        status: None,
        request_id: None,
        retry: Retry::Never,
        bill: Bill::Nothing,
    })
}

#[async_trait]
impl Calls for RunCalls {
    async fn prepare(&self, cell: &PlannedCell) -> Result<PreparedCell, Box<Failure>> {
        // Rendering takes microseconds; a file of megabytes would hold up every other call.
        if self.renderer.reads_files(cell) {
            let (renderer, cell) = (Arc::clone(&self.renderer), cell.clone());
            return bridge::blocking(move || renderer.prepare(&cell)).await;
        }
        self.prepare_now(cell)
    }

    fn is_drawn_anew(&self, cell: &PlannedCell) -> bool {
        self.renderer.asking.as_ref().is_some_and(|asking| asking.is_drawn_anew(cell))
    }
}
