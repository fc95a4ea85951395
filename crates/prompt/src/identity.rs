use serde_json::{Map, Value, json};
use values::ContentHash;

use crate::link::LinkedPrompt;

/// The line that starts what is hashed.
const TAG: &str = "trysquare-prompt-v1";

impl LinkedPrompt {
    /// Returns the prompt's version: the hash of [`LinkedPrompt::identity`].
    ///
    /// Two files of one version render alike and ask alike. Comments, the order of keys, line ends
    /// and [`crate::DISPLAY_KEYS`] do not count; partials that the prompt does not reach neither.
    pub fn version(&self) -> ContentHash {
        ContentHash::of_document(TAG, &self.identity())
    }

    /// Returns what the version is the hash of: `front_matter` as parsed, `template` with LF line
    /// ends, and `partials` by name.
    pub fn identity(&self) -> Value {
        let partials: Map<String, Value> = self
            .partials()
            .iter()
            .map(|(name, partial)| (name.clone(), Value::from(partial.template_text())))
            .collect();
        json!({
            "front_matter": self.prompt().front_matter.identity(),
            "template": self.prompt().template_text(),
            "partials": partials,
        })
    }
}
