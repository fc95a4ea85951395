//! What the program asks on a terminal: a real one, in which a person would type.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::sandbox::{PROGRAM, Sandbox};

const CANARY: &str = "canary-2b9d44e7";

/// Longer than any answer takes, so that a test fails instead of hanging.
const LONG: Duration = Duration::from_secs(90);

/// The program at a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    pub(crate) fn start(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let far = ioctl_tiocgptpeer(&near, flags).unwrap();
        let end = || Stdio::from(far.try_clone().unwrap());
        // The terminal becomes the one that the program's `/dev/tty` means.
        let mut command = sandbox.command("setsid");
        command.args(["--ctty", "--wait", PROGRAM]).args(arguments);
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let keyboard = File::from(near);
        let screen = watch(keyboard.try_clone().unwrap());
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Waits until this stands on the screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) {
        while !self.seen.contains(words) {
            let seen = &self.seen;
            let bytes = self.screen.recv_timeout(LONG);
            let bytes = bytes.unwrap_or_else(|error| panic!("no `{words}` ({error}):\n{seen}"));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the terminal no longer shows what is typed.
    #[track_caller]
    fn hides_what_is_typed(&self) {
        let given_up = Instant::now() + LONG;
        while tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(Instant::now() < given_up, "the terminal still shows what is typed");
            std::thread::yield_now();
        }
    }

    /// Waits for the program's end; returns its exit code and all that was on the screen.
    pub(crate) fn finish(mut self) -> (i32, String) {
        while let Ok(bytes) = self.screen.recv_timeout(LONG) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        let code = self.child.wait().unwrap().code().unwrap();
        (code, self.seen.replace("\r\n", "\n"))
    }
}

/// Reads what is written to the screen, until nobody can write to it any more.
fn watch(mut screen: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        // Linux reports an error, not an end, when the last program has let go of a terminal.
        while let Ok(read @ 1..) = screen.read(&mut piece) {
            if sender.send(piece[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn a_program_is_trusted_only_after_a_clear_yes() {
    let sandbox = Sandbox::with_program();
    for (answer, is_trusted) in
        [("\n", false), ("n\n", false), ("yes please\n", false), ("y\n", true)]
    {
        let mut terminal = Terminal::start(&sandbox, &["trust"]);
        terminal.shows("Trust this on this machine? [y/N] ");
        assert!(
            terminal.seen.contains("tools/lint.py"),
            "it asks before it shows: {}",
            terminal.seen
        );
        terminal.types(answer);
        let (code, screen) = terminal.finish();
        assert_eq!(code, if is_trusted { 0 } else { 2 }, "{answer:?}: {screen}");
        let shown = sandbox.run(&["trust", "--show"]).stdout;
        assert_eq!(shown.contains("It is trusted on this machine"), is_trusted, "{answer:?}");
    }
}

#[test]
fn nothing_is_sent_to_an_origin_without_a_yes() {
    let sandbox = Sandbox::with_project();
    let settings = sandbox.read("trysquare.yaml");
    let desk =
        "providers:\n  desk:\n    protocol: openai-chat\n    base_url: https://desk.invalid/v1\n";
    sandbox.write("trysquare.yaml", &format!("{settings}\n{desk}"));
    let prompt = sandbox.read("prompts/order-number.prompt");
    let elsewhere = prompt.replace("embedded/smollm2-135m", "desk/m");
    assert_ne!(prompt, elsewhere);
    sandbox.write("prompts/order-number.prompt", &elsewhere);
    let mut terminal = Terminal::start(&sandbox, &["run", "order-number", "--allow-unpriced"]);
    terminal
        .shows("Allow this project to send to https://desk.invalid (desk, without a key)? [y/N] ");
    terminal.types("n\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("has not been allowed to send to https://desk.invalid"), "{screen}");
    assert!(sandbox.run(&["doctor"]).stdout.contains("No host was contacted"));
}

#[test]
fn a_secret_is_neither_shown_nor_kept_in_a_file() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(&sandbox, &["key", "set", "openai"]);
    terminal.shows("which is sent only to https://api.openai.com (it is not shown): ");
    terminal.hides_what_is_typed();
    terminal.types(&format!("{CANARY}\n"));
    let (code, screen) = terminal.finish();
    // The sandbox has no keyring, so the key is refused, and the refusal does not tell it either.
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("no keyring that answers"), "{screen}");
    assert!(!screen.contains(CANARY), "{screen}");
    assert_eq!(sandbox.files_with(CANARY), Vec::<std::path::PathBuf>::new());
}
