use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_trysquare-tested");

/// A home, settings and a project folder of a test's own; nothing of the machine's is seen.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// How the program ended and what it printed, with the sandbox's own path hidden.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let sandbox = Self { folder: TempDir::new().unwrap() };
        for folder in ["home", "config", "project"] {
            std::fs::create_dir(sandbox.path(folder)).unwrap();
        }
        sandbox
    }

    /// A sandbox whose project is the one that `init` writes.
    pub(crate) fn with_project() -> Self {
        let sandbox = Self::new();
        assert_eq!(sandbox.run(&["init"]).code, 0);
        sandbox
    }

    /// A sandbox whose project also declares a program.
    pub(crate) fn with_program() -> Self {
        let sandbox = Self::with_project();
        let settings = sandbox.read("trysquare.yaml");
        let program = "programs:\n  lint:\n    command: [python3, tools/lint.py]\n";
        sandbox.write("trysquare.yaml", &format!("{settings}\n{program}"));
        sandbox.write("tools/lint.py", "print('{\"pass\": true}')\n");
        sandbox
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(inside)
    }

    pub(crate) fn write(&self, inside_project: &str, text: &str) {
        let path = self.path("project").join(inside_project);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, inside_project: &str) -> String {
        std::fs::read_to_string(self.path("project").join(inside_project)).unwrap()
    }

    /// Prepares any program to run in the project's folder and see only the sandbox.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(self.path("project"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TRYSQUARE_CONFIG", self.path("config"))
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.path("no-bus").display()))
            .env("NO_COLOR", "1");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(PROGRAM);
        self.finish(command.args(arguments), input)
    }

    pub(crate) fn finish(&self, command: &mut Command, input: &str) -> Ran {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that does not read its input may have closed it.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let folder = self.path("").display().to_string();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("the program prints UTF-8");
            text.replace(folder.trim_end_matches('/'), "[SANDBOX]")
        };
        Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Returns every file of the sandbox that holds these bytes.
    pub(crate) fn files_with(&self, needle: &str) -> Vec<PathBuf> {
        let (mut found, mut folders) = (Vec::new(), vec![self.path("")]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                        found.push(entry.path());
                    }
                }
            }
        }
        found
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        write!(f, "--- exit {}", self.code)
    }
}
