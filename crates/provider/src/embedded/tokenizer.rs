use catalog::TokenCounter;
use run::{Call, Failure};

use super::file::ModelFile;
use super::gguf::Gguf;

/// The tokenizer and chat template of a GGUF file, without its weights.
///
/// For counting while planning: loading takes a fraction of a second, and counting needs no
/// thread of its own. Both are blocking.
pub struct GgufTokenizer {
    gguf: Gguf,
}

impl GgufTokenizer {
    /// Loads the vocabulary of a file. Blocking: reads the whole file to check its hash.
    ///
    /// # Errors
    /// [`run::FailureKind::LocalModel`] if the file is missing, not the one that was named, or no
    /// GGUF file.
    pub fn open(file: &ModelFile) -> Result<Self, Failure> {
        Ok(Self { gguf: Gguf::open(file, true, || true)? })
    }

    /// Returns the number of prompt tokens of an embedded call, template included.
    ///
    /// # Errors
    /// [`run::FailureKind::InvalidRequest`] if the call is not an embedded one, or the model's
    /// template does not accept the conversation.
    pub fn count_prompt_tokens(&self, call: &Call) -> Result<u64, Failure> {
        let body = super::body_of(call)?;
        Ok(self.gguf.tokenize_turns(&body.messages)?.len() as u64)
    }
}

impl TokenCounter for GgufTokenizer {
    /// Counts a plain text, in which nothing is a control token.
    fn count(&self, text: &str) -> u64 {
        self.gguf.count(text)
    }

    fn is_exact(&self) -> bool {
        true
    }
}
