use std::sync::OnceLock;

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};
use run::{Failure, FailureKind};

use super::body::Turn;
use super::failure::failure;
use super::file::ModelFile;
use super::template::{Ends, Template};

/// A loaded GGUF file: weights (or only the vocabulary) and chat template.
pub(super) struct Gguf {
    pub(super) model: LlamaModel,
    template: Result<Template, String>,
    /// The texts of the control tokens.
    controls: Vec<String>,
    ends: Ends,
}

impl Gguf {
    /// Checks and loads a file. Blocking. Gives up when `go_on` says no.
    pub(super) fn open(
        file: &ModelFile,
        vocabulary_only: bool,
        mut go_on: impl FnMut() -> bool + 'static,
    ) -> Result<Self, Failure> {
        file.check()?;
        let parameters = LlamaModelParams::default()
            .with_vocab_only(vocabulary_only)
            .with_n_gpu_layers(0)
            .with_progress_callback(move |_| go_on());
        let model =
            LlamaModel::load_from_file(backend()?, &file.path, &parameters).map_err(|_| {
                file.unusable(format!(
                    "failed to load the model file {}: it is damaged, or no GGUF file that this \
                 version of llama.cpp knows",
                    file.path.display()
                ))
            })?;
        Ok(Self::describe(model))
    }

    fn describe(model: LlamaModel) -> Self {
        let vocabulary = model.vocab();
        let text = |token| {
            vocabulary
                .text(token)
                .map(|text| text.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let known = |token: LlamaToken| if token.0 < 0 { String::new() } else { text(token) };
        let controls = vocabulary
            .tokens()
            .filter(|token| vocabulary.is_control(*token))
            .map(text)
            .filter(|text| !text.is_empty())
            .collect();
        let ends = Ends { beginning: known(vocabulary.bos()), end: known(vocabulary.eos()) };
        let template = match model.chat_template(None) {
            Ok(source) => match source.to_str() {
                Ok(source) => Template::parse(source).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            },
            Err(_) => Err("there is none".to_owned()),
        };
        Self { model, template, controls, ends }
    }

    /// Returns the tokens of a conversation, up to where the answer begins.
    pub(super) fn tokenize_turns(&self, turns: &[Turn]) -> Result<Vec<LlamaToken>, Failure> {
        let template = self.template.as_ref().map_err(|why| {
            failure(
                FailureKind::LocalModel,
                format!("the model file has no chat template that can be used: {why}"),
                Some("use an instruction-tuned model, which brings a chat template"),
            )
        })?;
        let pieces = template.render(turns, &self.controls, &self.ends).map_err(|error| {
            failure(
                FailureKind::InvalidRequest,
                format!("the model's chat template does not accept the conversation: {error}"),
                Some(
                    "many templates want an optional system message first, then user and model \
                      in turn",
                ),
            )
        })?;
        let vocabulary = self.model.vocab();
        let mut tokens = Vec::new();
        for piece in &pieces {
            tokens.extend(vocabulary.tokenize(piece.as_bytes(), false, true));
        }
        let beginning = vocabulary.bos();
        if vocabulary.should_add_bos() && tokens.first() != Some(&beginning) {
            tokens.insert(0, beginning);
        }
        Ok(tokens)
    }

    /// Returns the number of tokens of a plain text, in which nothing is a control token.
    pub(super) fn count(&self, text: &str) -> u64 {
        self.model.vocab().tokenize(text.as_bytes(), false, false).len() as u64
    }
}

/// Returns llama.cpp, started once for the life of the process and silent unless the program
/// collects `tracing` events.
pub(super) fn backend() -> Result<&'static LlamaBackend, Failure> {
    static BACKEND: OnceLock<Option<LlamaBackend>> = OnceLock::new();
    let started = BACKEND.get_or_init(|| {
        send_logs_to_tracing(LogOptions::default());
        LlamaBackend::init().ok()
    });
    started.as_ref().ok_or_else(|| {
        failure(FailureKind::LocalModel, "llama.cpp is already in use by another part", None)
    })
}
