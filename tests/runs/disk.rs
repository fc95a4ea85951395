//! A full disk is a clear error, and costs nothing that was recorded.

use std::path::PathBuf;
use std::process::Command;

use run::RunState;
use tempfile::TempDir;
use test_provider::{Behaviour, Gate, TestProvider};

use crate::process::Process;
use crate::project::{Project, billed_by};

/// The largest shared memory that a test fills: that of a container, not that of a machine.
const LARGEST_SHARED_MEMORY: u64 = 256 << 20;

/// A small file system in memory.
struct SmallDisk {
    at: PathBuf,
    is_mounted: bool,
}

impl SmallDisk {
    /// Returns one with a folder on it and the temporary folder that holds it.
    ///
    /// It is mounted, as root or by sudo. A container that forbids mounting has a small tmpfs of its
    /// own at `/dev/shm`, and that is used then.
    fn find() -> (Self, TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let at = folder.path().join("small");
        std::fs::create_dir(&at).unwrap();
        let options = ["-t", "tmpfs", "-o", "size=8m,mode=0777", "trysquare-test"];
        if as_root("mount", &[&options[..], &[at.to_str().unwrap()]].concat()) {
            return (Self { at: at.clone(), is_mounted: true }, folder, at);
        }
        let size = rustix::fs::statvfs("/dev/shm").map_or(0, |disk| disk.f_blocks * disk.f_frsize);
        assert!(
            (1..=LARGEST_SHARED_MEMORY).contains(&size),
            "this test needs a small tmpfs: run it as root, as a user with sudo, or in a container"
        );
        println!("mounting is not possible here; /dev/shm with {size} bytes is filled instead");
        let folder = TempDir::new_in("/dev/shm").unwrap();
        let at = folder.path().to_owned();
        (Self { at: at.clone(), is_mounted: false }, folder, at)
    }

    /// Takes all space that is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).unwrap();
        let mut size = 1 << 16;
        while size > 0 {
            if std::io::Write::write_all(&mut file, &vec![1; size]).is_err() {
                size /= 2;
            }
        }
    }

    /// Gives it back.
    fn relieve(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.is_mounted {
            as_root("umount", &["--lazy", self.at.to_str().unwrap()]);
        }
    }
}

fn as_root(program: &str, args: &[&str]) -> bool {
    let succeeds = |mut command: Command| command.output().is_ok_and(|ran| ran.status.success());
    let mut direct = Command::new(program);
    direct.args(args);
    let mut sudo = Command::new("sudo");
    sudo.arg("--non-interactive").arg(program).args(args);
    succeeds(direct) || succeeds(sudo)
}

#[test]
fn a_full_disk_stops_a_run_and_loses_nothing_that_was_recorded() {
    let (disk, folder, root) = SmallDisk::find();
    let gate = Gate::closed();
    let held = gate.clone();
    let server = TestProvider::start(move |request| {
        let echo = Behaviour::echo(request);
        if request.number < 20 { echo } else { echo.after(&held) }
    });
    let project = Project::at(folder, root, &server.origin(), 60);
    let mut process = Process::start(project.command(&["run", "set", "--cap", "0.1"]));
    process.works_until(&server, |counts| counts.requests >= 28);
    disk.fill();
    gate.open();
    process.finish().expect(3).says("the disk is full");
    let sent = server.counts().requests;

    disk.relieve();
    project.run(&["doctor"]).expect(0).says("database");
    let record = project.latest();
    assert_eq!(record.state, RunState::Stopped);
    let answered = record.answers().count();
    assert!(answered >= 12, "what was recorded before is there: {answered}");
    assert!(record.presumed() > 0, "what was sent and not recorded is presumed spent");
    assert!(billed_by(&server) <= record.booked());

    project.run(&["resume", "latest"]).expect(0);
    let record = project.latest();
    record.assert_each_cell_is_answered_once();
    assert_eq!(server.counts().requests - sent, 60 - answered as u64);
    assert!(billed_by(&server) <= record.booked() && record.booked() <= 100_000_000);
    drop(disk);
}
