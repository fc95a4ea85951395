//! A project in a temporary folder, and the real program in it.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::process::program;

/// A project, and the program that was built beside this one.
pub(crate) struct Project {
    folder: TempDir,
    program: PathBuf,
}

impl Project {
    /// Makes one of these files, each a path and its text.
    pub(crate) fn of(files: &[(&str, &str)]) -> Result<Self> {
        let project = Self { folder: TempDir::new()?, program: program("trysquare")? };
        for (path, text) in files {
            project.write(path, text)?;
        }
        Ok(project)
    }

    /// Makes one with one prompt and one eval set, whose cases expect to be echoed by a provider at this
    /// origin. The model has prices, so that every call is reserved and settled in the ledger.
    pub(crate) fn new(origin: &str, cases: u32, samples: u32) -> Result<Self> {
        let settings = format!(
            "format: 1\nproviders:\n  local:\n    protocol: openai-chat\n    \
             base_url: {origin}/v1\n    concurrency: {}\n    models:\n      m:\n        \
             prices: {{input: 1, output: 2}}\n",
            crate::calls::CONCURRENCY
        );
        let set = format!(
            "format: 1\nsamples: {samples}\nvariants:\n  ask:\nchecks:\n  \
             - {{name: exact, kind: equals, value: \"{{{{expected}}}}\"}}\n"
        );
        let mut rows = String::new();
        for number in 0..cases {
            writeln!(
                rows,
                "{{\"id\":\"set-{number:06}\",\"inputs\":{{\"message\":\"set-{number:06}\"}},\
                 \"expected\":\"echo: set-{number:06}\"}}"
            )?;
        }
        Self::of(&[
            ("trysquare.yaml", &settings),
            (
                "prompts/ask.prompt",
                "---\nmodel: local/m\nconfig: {maxOutputTokens: 16, temperature: 0}\n\
                 input:\n  schema:\n    message: string\n---\n{{message}}\n",
            ),
            ("evalsets/set/evalset.yaml", &set),
            ("evalsets/set/cases.jsonl", &rows),
        ])
    }

    /// Returns the program, ready to be started in this project by a user who configured nothing.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path().join("user"))
            .env("NO_COLOR", "1");
        command
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)?;
        Ok(())
    }
}
