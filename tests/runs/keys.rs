//! A key reaches the origin that it is bound to, and nothing else.

use std::path::Path;

use test_provider::{Behaviour, TestProvider};

use crate::project::{Project, Ran, settings};

const CANARY: &str = "canary-5fe2a7b1c0d94e33";

/// Makes a project that wants the key `k`, and the user's variable that holds it.
fn project_with_key(origin: &str) -> Project {
    let mut project = Project::new(origin, 6);
    project.write("trysquare.yaml", &settings(origin, "    key: k\n"));
    project.set("CANARY", CANARY);
    project
}

fn grant(origin: &str) -> String {
    format!("k={origin},env=CANARY")
}

/// Fails if the canary was printed, or stands in any file that the program may have written.
#[track_caller]
fn assert_canary_is_nowhere(project: &Project, ran: &[Ran]) {
    for ran in ran {
        assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{ran:?}");
    }
    let mut files = 0;
    for folder in project.folders() {
        search(folder, &mut files);
    }
    assert!(files > 5, "only {files} files were searched");
}

fn search(folder: &Path, files: &mut usize) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, files);
            continue;
        }
        *files += 1;
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
        assert!(!found, "{} holds the key", path.display());
    }
}

#[test]
fn a_granted_key_reaches_its_origin_and_no_file() {
    let server = TestProvider::start(|request| Behaviour::echo(request).echoing_headers());
    let project = project_with_key(&server.origin());
    let grant = grant(&server.origin());
    let ran = [
        project.run(&["run", "set", "--record", "--allow-key", &grant]).expect(0),
        project.run(&["show", "latest", "--case", "set-001", "--raw"]).expect(0),
        project.run(&["runs", "export", "latest"]).expect(0),
        project.run(&["doctor"]).expect(0),
    ];
    let bearer = format!("Bearer {CANARY}");
    let seen = server.seen();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|one| one.header("authorization") == Some(bearer.as_str())));
    assert_canary_is_nowhere(&project, &ran);
}

#[test]
fn a_project_that_swaps_its_address_gets_no_byte_of_a_key() {
    let (bound, thief) = (TestProvider::echoing(), TestProvider::echoing());
    let project = project_with_key(&thief.origin());
    let grant = grant(&bound.origin());
    let ran = [
        project.run(&["run", "set", "--allow-key", &grant]).expect(2).says(&bound.origin()),
        project.run(&["run", "set"]).expect(2),
    ];
    assert_eq!((bound.received_bytes(), thief.received_bytes()), (0, 0));

    // The same for a run that exists already.
    project.write("trysquare.yaml", &settings(&bound.origin(), "    key: k\n"));
    let first = project.run(&["run", "set", "--cap", "0.000001", "--allow-key", &grant]).expect(3);
    project.write("trysquare.yaml", &settings(&thief.origin(), "    key: k\n"));
    let resumed = project.run(&["resume", "latest", "--cap", "1", "--allow-key", &grant]).expect(2);
    assert_eq!(thief.received_bytes(), 0);
    assert_canary_is_nowhere(&project, &ran);
    assert_canary_is_nowhere(&project, &[first, resumed]);
}

#[test]
fn a_project_that_names_a_source_or_a_proxy_gets_no_byte_of_a_key() {
    let (server, proxy) = (TestProvider::echoing(), TestProvider::echoing());
    let mut project = Project::new(&server.origin(), 6);
    project.set("CANARY", CANARY);
    let proxy_keys = format!("    proxy: {0}\n    https_proxy: {0}\n", proxy.origin());
    let wishes = [
        "    key: CANARY\n",
        "    key: k\n    key_env: CANARY\n    env: CANARY\n",
        "    key: {env: CANARY}\n",
        "    key: k\n    headers: {Authorization: \"Bearer ${CANARY}\"}\n",
        "    headers: {X-Note: \"${CANARY} {{CANARY}} {{env.CANARY}}\"}\n",
        proxy_keys.as_str(),
    ];
    let ran = wishes.map(|wish| {
        project.write("trysquare.yaml", &settings(&server.origin(), wish));
        project.run(&["run", "set", "--no-cache"])
    });
    // Without a key there is nothing to refuse: the last two ran, and the header went as it stands.
    let codes = ran.each_ref().map(|ran| ran.code);
    assert_eq!(codes, [Some(2), Some(2), Some(2), Some(2), Some(0), Some(0)], "{ran:?}");
    assert!(!server.received(CANARY.as_bytes()), "the server got the key");
    assert_eq!(proxy.counts().connections, 0);
    assert_canary_is_nowhere(&project, &ran);
}

#[test]
fn a_key_is_tested_where_it_is_bound_and_nowhere_else() {
    let bearer = format!("Bearer {CANARY}");
    let server = TestProvider::start(move |request| match request.header("authorization") {
        Some(found) if found == bearer => Behaviour::json(200, &serde_json::json!({"data": []})),
        _ => Behaviour::refuse(401, "", "this key is not known here"),
    });
    let mut project = project_with_key(&server.origin());
    let bind = ["key", "set", "k", "--origin", &server.origin(), "--env", "CANARY"];
    project.run(&bind).expect(0);
    let accepted = project.run(&["key", "test", "k"]).expect(0);
    let origin = server.origin();
    let accepted = accepted.says(&format!("✓ `k` at {origin}: the provider accepts the key"));
    let asked: Vec<_> =
        server.seen().iter().map(|one| format!("{} {}", one.method, one.path())).collect();
    assert_eq!(asked, ["GET /v1/models"], "the smallest request that needs a key");
    let contacted = project.run(&["doctor"]).expect(0).says(&origin);

    project.set("CANARY", "canary-that-is-wrong");
    let refused = project.run(&["key", "test", "k"]).expect(2);
    let refused = refused.says("✕ `k` at").says("store another with `trysquare key set k`");
    assert!(!refused.stdout.contains("canary-that-is-wrong"), "{refused:?}");

    // The provider moved, and the key does not follow.
    project.set("CANARY", CANARY);
    let thief = TestProvider::echoing();
    project.write("trysquare.yaml", &settings(&thief.origin(), "    key: k\n"));
    let moved = project.run(&["key", "test", "k"]).expect(2).says(&origin);
    assert_eq!((thief.received_bytes(), server.counts().requests), (0, 2));

    drop(server);
    project.write("trysquare.yaml", &settings(&origin, "    key: k\n"));
    let gone = project.run(&["key", "test", "k"]).expect(3);
    let unknown = project.run(&["key", "test", "other"]).expect(2).says("no provider here wants");
    assert_canary_is_nowhere(&project, &[accepted, contacted, refused, moved, gone, unknown]);
}

#[test]
fn a_proxy_of_the_environment_sees_nothing() {
    let (server, proxy) = (TestProvider::echoing(), TestProvider::echoing());
    let mut project = project_with_key(&server.origin());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    {
        project.set(name, &proxy.origin());
    }
    let ran = project.run(&["run", "set", "--allow-key", &grant(&server.origin())]).expect(0);
    assert_eq!(server.counts().requests, 6);
    assert_eq!(proxy.counts().connections, 0);
    assert_canary_is_nowhere(&project, &[ran]);
}

#[test]
fn a_redirect_is_not_followed() {
    let thief = TestProvider::echoing();
    let to = format!("{}/v1/chat/completions", thief.origin());
    let server = TestProvider::start(move |_| Behaviour::redirect(307, to.clone()));
    let project = project_with_key(&server.origin());
    let ran = project.run(&["run", "set", "--allow-key", &grant(&server.origin())]).expect(3);
    assert!(server.received(CANARY.as_bytes()));
    assert_eq!(thief.counts().connections, 0);
    assert_canary_is_nowhere(&project, &[ran]);
}
