//! Section 4.6, rows 2 and 3: a key reaches the origin that it is bound to and nothing else.

use chat::Protocol;
use provider::{BoundKey, Client, HttpClient, Network, SettingsError};
use run::FailureKind;
use test_provider::{Behaviour, TestProvider};
use values::Secret;

use crate::support::{CANARY, client, never, request, send, settings, ways};

#[tokio::test]
async fn redirects_carry_no_byte_elsewhere() {
    let elsewhere = TestProvider::echoing();
    for status in [301, 302, 303, 307, 308] {
        for (protocol, stream) in ways() {
            let to = format!("{}/v1/chat/completions", elsewhere.origin());
            let server = TestProvider::start(move |_| Behaviour::redirect(status, to.clone()));
            let sent = send(&client(&server, protocol, stream), &request("hello")).await;
            assert_eq!(sent.outcome.unwrap_err().kind, FailureKind::Redirected);
            assert!(server.received(CANARY.as_bytes()), "{protocol} sent its key where it may");
        }
    }
    assert_eq!((elsewhere.counts().connections, elsewhere.received_bytes()), (0, 0));
}

#[tokio::test]
async fn a_swapped_base_url_gets_no_byte() {
    let (bound, swapped) = (TestProvider::echoing(), TestProvider::echoing());
    for (protocol, stream) in ways() {
        let origin = bound.origin().parse().unwrap();
        let key = BoundKey { secret: Secret::new(CANARY), origin };
        let swapped = settings(swapped.origin(), protocol, stream);
        let refused = HttpClient::new(swapped, &Network::default(), Some(key)).unwrap_err();
        assert!(matches!(refused, SettingsError::KeyBoundElsewhere { .. }));
        assert!(!format!("{refused} {refused:?}").contains(CANARY));
    }
    // A call that was prepared for another provider is not sent with this one's key either.
    let strange = client(&swapped, Protocol::OpenaiChat, false);
    let call = strange.prepare(&request("hello")).unwrap();
    let sent = client(&bound, Protocol::OpenaiChat, false).send(&call, never()).await;
    assert_eq!(sent.outcome.unwrap_err().kind, FailureKind::InvalidRequest);
    assert_eq!(bound.received_bytes() + swapped.received_bytes(), 0);
}

#[tokio::test]
async fn headers_and_bodies_that_echo_the_key_do_not_bring_it_back() {
    for (protocol, stream) in ways() {
        let server = TestProvider::start(|seen| match seen.number {
            0 => Behaviour::text(format!("your key is {CANARY}")).echoing_headers(),
            _ => Behaviour::refuse(401, "", format!("bad key {CANARY}")).echoing_headers(),
        });
        let client = client(&server, protocol, stream);
        for _ in 0..2 {
            let sent = send(&client, &request("hello")).await;
            assert!(!format!("{sent:?}").contains(CANARY), "{protocol} {sent:?}");
        }
    }
}

/// Also run by the test below, in an environment that would lead it astray.
#[tokio::test]
async fn every_call_goes_straight_to_its_server() {
    for (protocol, stream) in ways() {
        let server = TestProvider::echoing();
        send(&client(&server, protocol, stream), &request("hello")).await.outcome.unwrap();
        assert!(server.received(CANARY.as_bytes()));
    }
}

#[test]
fn proxies_of_the_environment_get_no_byte_of_any_protocol() {
    let proxy = TestProvider::echoing();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "keys::every_call_goes_straight_to_its_server"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        child.env(name, proxy.origin());
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!((proxy.counts().connections, proxy.received_bytes()), (0, 0));
}
