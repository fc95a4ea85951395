use chat::Protocol;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use values::ContentHash;

/// One request exactly as it will be sent, without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// How it is put on the wire.
    pub protocol: Protocol,
    /// Who answers it.
    pub endpoint: Endpoint,
    /// The model's name as the provider spells it, or the target's name.
    pub model: String,
    /// The JSON to send, with every parameter.
    pub body: Value,
    /// The seed, where it is not part of the body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// The version of the adapter that made the body.
    pub adapter_version: u32,
}

/// Who answers a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Endpoint {
    /// A server.
    Remote {
        /// Scheme, host and port, as in `https://api.openai.com`.
        origin: String,
        /// The path, from its slash.
        path: String,
    },
    /// A model file inside this process.
    Local {
        /// The SHA-256 of the GGUF file.
        model_file: ContentHash,
        /// The runtime and its version (`llama.cpp b6123`).
        runtime: String,
    },
    /// A program of the user's.
    Program {
        /// The hash of its declaration and of the files it names.
        declaration: ContentHash,
    },
}

impl Call {
    /// Returns the key of the response cache for the k-th repetition.
    ///
    /// Everything that can change the answer is in it, the adapter and the runtime included.
    pub fn cache_key(&self, sample: u32) -> ContentHash {
        let place = match &self.endpoint {
            Endpoint::Remote { origin, path } => json!({"origin": origin, "path": path}),
            Endpoint::Local { model_file, runtime } => {
                json!({"model_file": model_file, "runtime": runtime, "seed": self.seed})
            }
            Endpoint::Program { declaration } => json!({"declaration": declaration}),
        };
        // The body is long, and a plan of many cells makes many keys: it is not copied.
        ContentHash::of_members(
            "trysquare-cache-v1",
            &[
                ("protocol", &json!(self.protocol)),
                ("place", &place),
                ("model", &json!(self.model)),
                ("body", &self.body),
                ("sample", &json!(sample)),
                ("adapter", &json!(self.adapter_version)),
            ],
        )
    }

    /// Returns the key of a recorded response for the k-th repetition.
    ///
    /// Adapter, origin and runtime are not in it, so that an update of a dependency, or a move of
    /// the same model to another host, keeps recordings valid.
    pub fn recording_key(&self, sample: u32) -> ContentHash {
        let model_file = match &self.endpoint {
            Endpoint::Local { model_file, .. } => Some(model_file),
            Endpoint::Remote { .. } | Endpoint::Program { .. } => None,
        };
        let key = json!({
            "protocol": self.protocol,
            "model": self.model,
            "body": self.body,
            "seed": self.seed,
            "sample": sample,
            "model_file": model_file,
        });
        ContentHash::of_document("trysquare-recording-v1", &key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call {
            protocol: Protocol::OpenaiChat,
            endpoint: Endpoint::Remote {
                origin: "https://a.example".to_owned(),
                path: "/v1/chat/completions".to_owned(),
            },
            model: "m".to_owned(),
            body: json!({"messages": [], "temperature": 0}),
            seed: None,
            adapter_version: 1,
        }
    }

    #[test]
    fn samples_models_and_bodies_have_their_own_keys() {
        let base = call();
        let warmer = Call { body: json!({"messages": [], "temperature": 1}), ..call() };
        let other = Call { model: "n".to_owned(), ..call() };
        assert_ne!(base.cache_key(0), base.cache_key(1));
        for changed in [warmer, other] {
            assert_ne!(base.cache_key(0), changed.cache_key(0));
            assert_ne!(base.recording_key(0), changed.recording_key(0));
        }
    }

    #[test]
    fn bodies_that_differ_in_the_last_digit_of_a_large_number_have_their_own_keys() {
        let [one, next] = [9_007_199_254_740_992_u64, 9_007_199_254_740_993]
            .map(|id| Call { body: json!({"inputs": {"id": id}}), ..call() });
        assert_ne!(one.cache_key(0), next.cache_key(0));
        assert_ne!(one.recording_key(0), next.recording_key(0));
    }

    #[test]
    fn an_adapter_update_keeps_recordings_but_not_the_cache() {
        let newer = Call { adapter_version: 2, ..call() };
        assert_eq!(call().recording_key(0), newer.recording_key(0));
        assert_ne!(call().cache_key(0), newer.cache_key(0));
    }

    #[test]
    fn the_key_of_the_cache_is_that_of_one_document() {
        let document = json!({
            "protocol": "openai-chat",
            "place": {"origin": "https://a.example", "path": "/v1/chat/completions"},
            "model": "m",
            "body": {"messages": [], "temperature": 0},
            "sample": 3,
            "adapter": 1,
        });
        let key = ContentHash::of_document("trysquare-cache-v1", &document);
        assert_eq!(call().cache_key(3), key);
    }

    #[test]
    fn key_order_of_the_body_does_not_count() {
        let reordered = Call { body: json!({"temperature": 0, "messages": []}), ..call() };
        assert_eq!(call().cache_key(0), reordered.cache_key(0));
    }
}
