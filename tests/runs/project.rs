//! A project in a temporary folder, the real program run in it, and its record read back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use test_provider::TestProvider;

use crate::record::Record;

/// Dollars per million input tokens, so that a token costs a thousand nano-dollars.
pub(crate) const INPUT_PRICE: i64 = 1;
/// Dollars per million output tokens.
pub(crate) const OUTPUT_PRICE: i64 = 2;
/// The prompt's limit of output tokens.
pub(crate) const MAX_OUTPUT: i64 = 16;

/// A project, and the folder of a user who has configured nothing.
pub(crate) struct Project {
    folder: TempDir,
    user: TempDir,
    root: PathBuf,
    variables: BTreeMap<String, String>,
}

/// How the program ended and what it printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails with everything that was printed unless the program ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless what was printed says this.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let said = format!("{}\n{}", self.stdout, self.stderr);
        assert!(said.contains(words), "nothing says `{words}`:\n{said}");
        self
    }
}

impl Project {
    /// Makes a project whose one prompt echoes a case's message through a provider at this origin,
    /// with an eval set `set` of this many cases, each of which expects its echo.
    pub(crate) fn new(origin: &str, cases: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().to_owned();
        Self::at(folder, root, origin, cases)
    }

    /// Makes the same in a folder of the caller's.
    pub(crate) fn at(folder: TempDir, root: PathBuf, origin: &str, cases: usize) -> Self {
        let user = TempDir::new().unwrap();
        let project = Self { folder, user, root, variables: BTreeMap::new() };
        project.write("trysquare.yaml", &settings(origin, ""));
        project.write(
            "prompts/ask.prompt",
            &format!(
                "---\nmodel: local/m\nconfig: {{maxOutputTokens: {MAX_OUTPUT}, temperature: 0}}\n\
                 input:\n  schema:\n    message: string\n---\n{{{{message}}}}\n"
            ),
        );
        project.eval_set("set", cases);
        project
    }

    /// Adds an eval set of this many cases.
    pub(crate) fn eval_set(&self, name: &str, cases: usize) {
        self.write(
            &format!("evalsets/{name}/evalset.yaml"),
            "format: 1\nvariants:\n  ask:\nchecks:\n  \
             - {name: exact, kind: equals, value: \"{{expected}}\"}\n",
        );
        let lines: String = (0..cases)
            .map(|number| {
                let id = format!("{name}-{number:03}");
                format!(
                    "{{\"id\":\"{id}\",\"inputs\":{{\"message\":\"{id}\"}},\"expected\":\"echo: {id}\"}}\n"
                )
            })
            .collect();
        self.write(&format!("evalsets/{name}/cases.jsonl"), &lines);
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file of the project.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Returns the project's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folders that the program may write to: the project's and the user's.
    pub(crate) fn folders(&self) -> [&Path; 2] {
        [self.folder.path(), self.user.path()]
    }

    /// Sets an environment variable for every command from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Returns the program, ready to be started in this project.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trysquare-tested"));
        command
            .args(args)
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.user.path())
            .env("TRYSQUARE_CONFIG", self.user.path().join("config"))
            .env("NO_COLOR", "1")
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Reads the record of the latest run as `runs export` writes it.
    #[track_caller]
    pub(crate) fn latest(&self) -> Record {
        self.record("latest")
    }

    /// Reads the record of a run.
    #[track_caller]
    pub(crate) fn record(&self, run: &str) -> Record {
        Record::parse(&self.run(&["runs", "export", run]).expect(0).stdout)
    }
}

/// Returns a `trysquare.yaml` with the provider `local` at an origin, and more of its keys.
pub(crate) fn settings(origin: &str, more: &str) -> String {
    format!(
        "format: 1\nproviders:\n  local:\n    protocol: openai-chat\n    base_url: {origin}/v1\n{more}    \
         models:\n      m:\n        prices: {{input: {INPUT_PRICE}, output: {OUTPUT_PRICE}}}\n"
    )
}

/// Returns what a server billed, in nano-dollars at the project's prices.
pub(crate) fn billed_by(server: &TestProvider) -> i64 {
    let (_, usage) = server.billed_sum();
    let input =
        usage.input_uncached + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h;
    let output = usage.output_visible + usage.output_reasoning;
    let tokens = |count: u64| i64::try_from(count).unwrap() * 1000;
    tokens(input) * INPUT_PRICE + tokens(output) * OUTPUT_PRICE
}
