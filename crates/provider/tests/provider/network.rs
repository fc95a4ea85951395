//! TLS, proxies, many calls at once: what depends on how connections are made.

#![expect(clippy::disallowed_methods, reason = "one test starts itself with a hostile environment")]

use std::sync::Arc;

use catalog::ModelFacts;
use chat::Protocol;
use provider::{BoundKey, Client, HttpClient, SettingsError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use run::{Bill, FailureKind, Retry};
use test_provider::{Behaviour, TestProvider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use values::Secret;

use crate::server::{Server, Step, response};
use crate::support::{CANARY, Setup, request};

const ANSWER: &str = r#"{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}"#;

/// Starts a TLS server whose certificate an authority of its own signed; returns its origin, the
/// authority as PEM, and what the server read.
async fn tls_server() -> (String, String, watch::Receiver<Vec<u8>>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let (told, read) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust the certificate ends the handshake.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = vec![0; 1 << 16];
            let length = stream.read(&mut bytes).await.unwrap();
            told.send(bytes[..length].to_vec()).unwrap();
            stream
                .write_all(&response("200 OK", &["content-type: application/json"], ANSWER))
                .await
                .unwrap();
            stream.shutdown().await.ok();
        }
    });
    (origin, authority.pem(), read)
}

#[tokio::test]
async fn an_authority_of_the_persons_own_is_trusted_beside_the_built_in_ones() {
    let (origin, authority, read) = tls_server().await;
    let mut setup = Setup::new(Protocol::OpenaiChat, &origin);
    setup.network.extra_ca_pem = authority.into_bytes();
    assert_eq!(setup.send().await.outcome.unwrap().reply.text, "hello");
    assert!(String::from_utf8_lossy(&read.borrow()).contains(CANARY));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_byte_of_the_key() {
    let (origin, _, read) = tls_server().await;
    let failure = Setup::new(Protocol::OpenaiChat, &origin).send().await.outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry, failure.bill),
        (FailureKind::Connect, Retry::Never, Bill::Nothing)
    );
    assert!(failure.hint.unwrap().contains("certificate authority"));
    assert!(read.borrow().is_empty());
}

#[test]
fn certificates_that_cannot_be_read_are_refused() {
    for pem in ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut setup = Setup::new(Protocol::OpenaiChat, "https://a.example");
        setup.network.extra_ca_pem = pem.as_bytes().to_vec();
        let error = setup.client_with("x").unwrap_err();
        assert!(matches!(error, SettingsError::Certificates(_)), "{error}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connection_that_took_too_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let mut setup = Setup::new(Protocol::OpenaiChat, &origin);
    setup.provider.timeouts.connect_ms = 60;
    let failure = setup.send().await.outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry, failure.bill),
        (FailureKind::Timeout, Retry::Backoff, Bill::Nothing)
    );
}

#[tokio::test]
async fn the_persons_proxy_is_used_for_the_world_and_not_for_this_machine() {
    let proxy = Server::respond("200 OK", &["content-type: application/json"], ANSWER).await;
    let local = Server::respond("200 OK", &["content-type: application/json"], ANSWER).await;
    let with_proxy = |origin: &str| {
        let mut setup = Setup::new(Protocol::OpenaiChat, origin);
        setup.network.proxy = Some(proxy.origin.clone());
        setup
    };
    with_proxy("http://models.example").send().await.outcome.unwrap();
    assert!(proxy.seen()[0].starts_with("POST http://models.example/v1/chat/completions "));
    with_proxy(&local.origin).send().await.outcome.unwrap();
    assert_eq!((proxy.seen().len(), local.seen().len()), (1, 1));
}

#[test]
fn a_proxy_that_is_no_url_is_refused() {
    let mut setup = Setup::new(Protocol::OpenaiChat, "https://a.example");
    setup.network.proxy = Some("http://".to_owned());
    assert!(matches!(setup.client_with("x"), Err(SettingsError::Proxy)));
}

/// Also run by the test below, in an environment that would lead it astray.
#[tokio::test]
async fn a_call_goes_straight_to_its_server() {
    let server = TestProvider::echoing();
    Setup::new(Protocol::OpenaiChat, &server.origin()).send().await.outcome.unwrap();
    assert_eq!(server.counts().requests, 1);
}

#[test]
fn proxies_of_the_environment_get_no_byte() {
    let proxy = TestProvider::echoing();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "network::a_call_goes_straight_to_its_server"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, proxy.origin()).env(name.to_lowercase(), proxy.origin());
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!((proxy.counts().connections, proxy.received_bytes()), (0, 0));
}

#[tokio::test]
async fn hundreds_of_calls_share_one_client() {
    let server = TestProvider::echoing();
    let client = Arc::new(Setup::new(Protocol::OpenaiChat, &server.origin()).client());
    let call = Arc::new(client.prepare(&request()).unwrap());
    let (_stop, stopped) = watch::channel(false);
    let calls: Vec<_> = (0..256)
        .map(|_| {
            let (client, call, stopped) = (client.clone(), call.clone(), stopped.clone());
            tokio::spawn(async move {
                for _ in 0..4 {
                    client.send(&call, stopped.clone()).await.outcome.unwrap();
                }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    let counts = server.counts();
    assert_eq!(counts.requests, 1024);
    assert!(counts.connections <= 256, "{} connections", counts.connections);
}

#[tokio::test]
async fn one_stop_ends_every_call_of_a_run() {
    let server = Server::start(vec![Step::AwaitClose]).await;
    let client = Arc::new(Setup::new(Protocol::OpenaiChat, &server.origin).client());
    let call = Arc::new(client.prepare(&request()).unwrap());
    let (stop, stopped) = watch::channel(false);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (client, call, stopped) = (client.clone(), call.clone(), stopped.clone());
            tokio::spawn(async move { client.send(&call, stopped).await.outcome.unwrap_err().kind })
        })
        .collect();
    server.received.notified().await;
    stop.send(true).unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap(), FailureKind::Cancelled);
    }
}

#[tokio::test]
async fn a_stop_that_nobody_can_give_any_more_stops_nothing() {
    let server = TestProvider::start(|_| Behaviour::text("x"));
    let client = Setup::new(Protocol::OpenaiChat, &server.origin()).client();
    let call = client.prepare(&request()).unwrap();
    let (stop, stopped) = watch::channel(false);
    drop(stop);
    client.send(&call, stopped).await.outcome.unwrap();
}

#[test]
fn a_client_shows_no_key() {
    for protocol in [Protocol::OpenaiChat, Protocol::Anthropic, Protocol::Gemini] {
        let client = Setup::new(protocol, "https://a.example").client();
        assert!(!format!("{client:?}").contains("canary"));
    }
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let good = Setup::new(Protocol::OpenaiChat, "https://a.example/v1");
    let refused = |change: fn(&mut Setup), secret: &str| {
        let mut setup = good.clone();
        change(&mut setup);
        let origin = "https://a.example".parse().unwrap();
        let key = BoundKey { secret: Secret::new(secret), origin };
        HttpClient::new(setup.provider, &setup.network, Some(key)).unwrap_err()
    };
    assert!(matches!(refused(|_| {}, "two\nlines"), SettingsError::KeyUnsendable));
    let elsewhere =
        |setup: &mut Setup| setup.provider.base_url = Some("https://b.example".to_owned());
    assert!(matches!(refused(elsewhere, CANARY), SettingsError::KeyBoundElsewhere { .. }));
    let nowhere = |setup: &mut Setup| setup.provider.base_url = None;
    assert!(matches!(refused(nowhere, CANARY), SettingsError::NoBaseUrl));
    let disguised = |setup: &mut Setup| setup.provider.base_url = Some("http://127.1".to_owned());
    assert!(matches!(refused(disguised, CANARY), SettingsError::BaseUrl(_)));
    let embedded = |setup: &mut Setup| setup.provider.protocol = Protocol::Embedded;
    assert!(matches!(refused(embedded, CANARY), SettingsError::Protocol(Protocol::Embedded)));
    let header = |setup: &mut Setup| {
        setup.provider.headers.insert("authorization".to_owned(), "x".to_owned());
    };
    assert!(matches!(refused(header, CANARY), SettingsError::ReservedHeader(_)));
}

#[test]
fn a_prompt_without_a_maximum_gets_the_providers() {
    let mut setup = Setup::new(Protocol::Anthropic, "https://a.example");
    let facts = ModelFacts { max_output_tokens: Some(100), ..ModelFacts::default() };
    setup.provider.models.insert("small".to_owned(), facts);
    let client = setup.client();
    let sent = |model: &str, asked| {
        let mut request = request();
        request.model = model.parse().unwrap();
        request.sampling.max_output_tokens = asked;
        client.prepare(&request).unwrap().body["max_tokens"].as_u64().unwrap()
    };
    assert_eq!((sent("p/any", None), sent("p/any", Some(7))), (512, 7));
    assert_eq!((sent("p/small", None), sent("p/small", Some(9000))), (100, 100));
}
