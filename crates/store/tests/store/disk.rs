use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;

use store::{Selection, Store, StoreError, wait};

use crate::child;
use crate::support::{answered, assert_sound, at, id, options, pending, start};

/// Writes until the small disk is full, makes space, and writes on.
fn fill_and_go_on(folder: &Path) {
    const CELLS: u32 = 900;
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    let path = folder.join("trysquare.db");
    let store = Store::open(&path, options(1)).unwrap();
    let run = id(b'r', 1);
    start(&store, run, CELLS);
    let text = "x".repeat(20_000);
    let (sender, receiver) = channel();
    for cell in 0..300 {
        let sender = sender.clone();
        let done = move |result: Result<_, _>| sender.send((cell, result)).unwrap();
        store.record(answered(run, cell, 0, &text), Box::new(done));
    }
    drop(sender);
    let mut kept = Vec::new();
    let mut full = 0;
    for (cell, result) in receiver {
        match result {
            Ok(_) => kept.push(cell),
            Err(StoreError::DiskFull { .. }) => full += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(full > 0, "everything fitted: {} cells", kept.len());
    assert_eq!(kept.len() + full, 300, "everybody who waited was told");
    let after = wait(|done| store.record(answered(run, 899, 0, &text.repeat(250)), done));
    let error = after.unwrap_err();
    assert!(error.to_string().ends_with("the disk is full") && error.hint().is_some());
    let holds = |store: &Store| -> Vec<u32> {
        pending(store, run, Selection::Answered).into_iter().map(|(cell, ..)| cell).collect()
    };
    assert_eq!(holds(&store), kept);
    assert_sound(&store);

    fs::remove_file(&ballast).unwrap();
    wait(|done| store.record(answered(run, 500, 0, "there is space again"), done)).unwrap();
    kept.push(500);
    assert_eq!(holds(&store), kept);
    store.close(at(5)).unwrap();
    let store = Store::open(&path, options(2)).unwrap();
    assert_eq!(holds(&store), kept);
    assert_sound(&store);
}

/// Mounts a small disk in a name space of its own, which goes when the child does: by a process
/// that may mount, or by one that becomes root of its own user name space. Where neither is allowed
/// this says so; the writer's own test then still fills a database by its page limit.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_clear_error_and_harms_nothing() {
    const CANNOT_MOUNT: i32 = 97;
    if let Some((folder, _)) = child::assignment() {
        return fill_and_go_on(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        r#"mount -t tmpfs -o size=4m,mode=700 tmpfs "$0" 2>/dev/null || exit {CANNOT_MOUNT}; exec "$@""#
    );
    let program = std::env::current_exe().unwrap();
    let test = "disk::a_full_disk_is_a_clear_error_and_harms_nothing";
    let inner = child::command(program.to_str().unwrap(), test, folder.path(), 1);
    for how in [&["-m"][..], &["-r", "-m"]] {
        let output = Command::new("unshare")
            .args(how)
            .args(["sh", "-c", &script])
            .arg(folder.path())
            .arg(inner.get_program())
            .args(inner.get_args())
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .output();
        let Ok(output) = output else { continue };
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.code() != Some(CANNOT_MOUNT) && said.contains("running 1 test") {
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
            return;
        }
    }
    println!("no disk could be mounted here: nothing was filled");
}
