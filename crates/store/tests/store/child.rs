//! Parts of this test program that run again as processes of their own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use run::{Caps, LedgerState};
use store::{NewAttempt, Reservation, Reserved, Store};
use values::Id;

use crate::support::{answered, at, dollars, id, options, start};

const FOLDER: &str = "TRYSQUARE_STORE_TEST_FOLDER";
const NUMBER: &str = "TRYSQUARE_STORE_TEST_NUMBER";

/// Where a child works, and which of several it is; `None` in the test itself.
pub(crate) fn assignment() -> Option<(PathBuf, u32)> {
    let folder = std::env::var_os(FOLDER)?;
    Some((folder.into(), std::env::var(NUMBER).unwrap().parse().unwrap()))
}

/// Makes the command that runs one test of this program as a child.
pub(crate) fn command(program: &str, test: &str, folder: &Path, number: u32) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(NUMBER, number.to_string());
    command
}

/// Starts a child of which the lines that it says are read.
pub(crate) fn spawn(test: &str, folder: &Path, number: u32) -> (Child, Said) {
    let program = std::env::current_exe().unwrap();
    let mut child = command(program.to_str().unwrap(), test, folder, number)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = Said(BufReader::new(child.stdout.take().unwrap()));
    (child, said)
}

/// What a child says: numbers, each on its line.
pub(crate) struct Said(BufReader<std::process::ChildStdout>);

impl Iterator for Said {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut line = String::new();
        while self.0.read_line(&mut line).unwrap() > 0 {
            // The test harness may begin the line; a kill may cut it.
            let said = line.rsplit_once("said ").and_then(|(_, rest)| rest.strip_suffix('\n'));
            if let Some(number) = said {
                return number.parse().ok();
            }
            line.clear();
        }
        None
    }
}

/// Says a number to the parent.
pub(crate) fn say(number: u32) {
    let mut out = std::io::stdout();
    // Whole lines in one write, so that a kill cuts at most the last.
    out.write_all(format!("said {number}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// What a reservation's id is for one cell of one run.
pub(crate) fn reservation(number: u32, cell: u32) -> Id {
    id(b'l', number * 1_000_000 + cell)
}

/// What a cell of [`write_run`] is answered: long enough that a few hundred bring a checkpoint.
pub(crate) fn answer(cell: u32) -> String {
    format!("cell {cell} is answered at length; ").repeat(200)
}

const UNDER_WAY: u32 = 32;

/// Reserves, records and settles the cells of a run in order, some under way at a time, and says each
/// cell once it is acknowledged.
pub(crate) fn write_run(folder: &Path, number: u32, cells: u32) {
    let store = Store::open(&folder.join("trysquare.db"), options(number)).unwrap();
    let run = id(b'r', number);
    start(&store, run, cells);
    let (acknowledge, acknowledged) = channel();
    for cell in 0..cells {
        if cell >= UNDER_WAY {
            say(acknowledged.recv().unwrap());
        }
        let held =
            Reservation { id: reservation(number, cell), run, cell, worst_case: dollars(10) };
        let granted = |result: Result<_, _>| assert_eq!(result.unwrap(), Reserved::Granted);
        store.reserve(held, Caps::default(), at(0), Box::new(granted));
        let new = NewAttempt {
            settlement: Some((held.id, LedgerState::Settled { billed: dollars(7) })),
            ..answered(run, cell, 0, &answer(cell))
        };
        let acknowledge = acknowledge.clone();
        let recorded = move |result: Result<_, _>| {
            result.unwrap();
            acknowledge.send(cell).unwrap();
        };
        store.record(new, Box::new(recorded));
    }
    drop(acknowledge);
    acknowledged.iter().for_each(say);
    store.close(at(9)).unwrap();
}
