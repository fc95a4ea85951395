//! What the program lends to the application: the clock, the environment, the user's folders.

#![expect(
    clippy::disallowed_methods,
    reason = "the program is what may read the clock and the environment"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use app::{App, Host};
use values::Timestamp;

/// Makes the application over this process.
pub(crate) fn app() -> App {
    let smollm2 = std::env::var_os("TRYSQUARE_SMOLLM2").map(PathBuf::from);
    App::new(Host {
        settings_folder: settings_folder(),
        smollm2_file: smollm2
            .unwrap_or_else(|| cache_folder().join("models/SmolLM2-135M-Instruct.Q4_1.gguf")),
        environment: Arc::new(|name| std::env::var(name).ok()),
        now,
        random,
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

fn settings_folder() -> PathBuf {
    if let Some(folder) = folder_variable("TRYSQUARE_CONFIG") {
        return folder;
    }
    user_folder("XDG_CONFIG_HOME", ".config", "Library/Application Support", "APPDATA")
        .join("trysquare")
}

fn cache_folder() -> PathBuf {
    user_folder("XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA").join("trysquare")
}

/// Returns one of the user's folders by the custom of the system.
fn user_folder(xdg: &str, unix: &str, mac: &str, windows: &str) -> PathBuf {
    if cfg!(windows) {
        return folder_variable(windows).unwrap_or_else(|| PathBuf::from("."));
    }
    let home = folder_variable("HOME").unwrap_or_else(|| PathBuf::from("."));
    if cfg!(target_os = "macos") {
        return home.join(mac);
    }
    folder_variable(xdg).unwrap_or_else(|| home.join(unix))
}

fn folder_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
