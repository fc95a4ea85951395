//! TLS, proxies, many calls at once: what depends on how connections are made.

#![expect(clippy::disallowed_methods, reason = "one test starts itself with a hostile environment")]

use std::sync::Arc;
use std::time::Duration;

use chat::Protocol;
use provider::{BoundKey, Client, HttpClient, HttpSettings, Secret, SettingsError};
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

use crate::server::{Server, Step, response};
use crate::support::{CANARY, client, request, send, settings};

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
    let mut settings = settings(Protocol::OpenaiChat, &origin);
    settings.extra_ca_pem = authority.into_bytes();
    assert_eq!(send(settings).await.outcome.unwrap().reply.text, "hello");
    assert!(String::from_utf8_lossy(&read.borrow()).contains(CANARY));
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_byte_of_the_key() {
    let (origin, _, read) = tls_server().await;
    let failure = send(settings(Protocol::OpenaiChat, &origin)).await.outcome.unwrap_err();
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
        let mut settings = settings(Protocol::OpenaiChat, "https://a.example");
        settings.extra_ca_pem = pem.as_bytes().to_vec();
        let error = HttpClient::new(&settings, None).unwrap_err();
        assert!(matches!(error, SettingsError::Certificates(_)), "{error}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_a_connection_that_took_too_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let mut settings = settings(Protocol::OpenaiChat, &origin);
    settings.timeouts.connect = Duration::from_millis(60);
    let failure = send(settings).await.outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.retry, failure.bill),
        (FailureKind::Timeout, Retry::Backoff, Bill::Nothing)
    );
}

#[tokio::test]
async fn the_persons_proxy_is_used_for_the_world_and_not_for_this_machine() {
    let proxy = Server::respond("200 OK", &["content-type: application/json"], ANSWER).await;
    let local = Server::respond("200 OK", &["content-type: application/json"], ANSWER).await;
    let with_proxy = |origin: &str| HttpSettings {
        proxy: Some(proxy.origin.clone()),
        ..settings(Protocol::OpenaiChat, origin)
    };
    send(with_proxy("http://models.example")).await.outcome.unwrap();
    assert!(proxy.seen()[0].starts_with("POST http://models.example/v1/chat/completions "));
    send(with_proxy(&local.origin)).await.outcome.unwrap();
    assert_eq!((proxy.seen().len(), local.seen().len()), (1, 1));
}

#[test]
fn a_proxy_that_is_no_url_is_refused() {
    let mut settings = settings(Protocol::OpenaiChat, "https://a.example");
    settings.proxy = Some("http://".to_owned());
    assert!(matches!(HttpClient::new(&settings, None), Err(SettingsError::Proxy)));
}

/// Also run by the test below, in an environment that would lead it astray.
#[tokio::test]
async fn a_call_goes_straight_to_its_server() {
    let server = TestProvider::echoing();
    send(settings(Protocol::OpenaiChat, &server.origin())).await.outcome.unwrap();
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
    let client = Arc::new(client(&settings(Protocol::OpenaiChat, &server.origin())));
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
    let client = Arc::new(client(&settings(Protocol::OpenaiChat, &server.origin)));
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
    let client = client(&settings(Protocol::OpenaiChat, &server.origin()));
    let call = client.prepare(&request()).unwrap();
    let (stop, stopped) = watch::channel(false);
    drop(stop);
    client.send(&call, stopped).await.outcome.unwrap();
}

#[test]
fn a_client_shows_no_key() {
    for protocol in [Protocol::OpenaiChat, Protocol::Anthropic, Protocol::Gemini] {
        let client = client(&settings(protocol, "https://a.example"));
        assert!(!format!("{client:?}").contains("canary"));
    }
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let refused = |settings: &HttpSettings, secret: &str| {
        let key =
            BoundKey { secret: Secret::new(secret), origin: "https://a.example".parse().unwrap() };
        HttpClient::new(settings, Some(key)).unwrap_err()
    };
    let good = settings(Protocol::OpenaiChat, "https://a.example/v1");
    assert!(matches!(refused(&good, "two\nlines"), SettingsError::KeyUnsendable));
    let elsewhere = HttpSettings { base_url: "https://b.example".to_owned(), ..good.clone() };
    assert!(matches!(refused(&elsewhere, CANARY), SettingsError::KeyBoundElsewhere { .. }));
    let embedded = HttpSettings { protocol: Protocol::Embedded, ..good.clone() };
    assert!(matches!(refused(&embedded, CANARY), SettingsError::Protocol(Protocol::Embedded)));
    let header = ("authorization".to_owned(), "x".to_owned());
    let header = HttpSettings { headers: vec![header], ..good };
    assert!(matches!(refused(&header, CANARY), SettingsError::ReservedHeader(_)));
}
