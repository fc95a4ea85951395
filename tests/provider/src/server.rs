use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chat::{Protocol, Usage};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{oneshot, watch};

use crate::behaviour::Behaviour;
use crate::body::{BrokenOff, ScriptedBody};
use crate::connection::Connection;
use crate::counts::{Counts, InFlight};
use crate::respond::{self, Planned};
use crate::seen::{Dialect, SeenRequest, protocol_of};

/// What a script is: one behaviour for each request.
pub type Script = dyn Fn(&SeenRequest) -> Behaviour + Send + Sync;

/// What a server plays and remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The family member that it plays.
    pub dialect: Dialect,
    /// What it remembers.
    pub keep: Keep,
    /// The port of 127.0.0.1; 0 lets the system choose.
    pub port: u16,
}

/// What a server remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Every request, every bill, and every byte received.
    #[default]
    Everything,
    /// Sums and counts only, so that memory does not grow with the calls.
    Sums,
}

/// One call that the server billed.
#[derive(Debug, Clone)]
pub struct BilledCall {
    /// The request's number, from 0.
    pub number: u64,
    /// What it spoke.
    pub protocol: Option<Protocol>,
    /// Its path.
    pub path: String,
    /// What was billed.
    pub usage: Usage,
    /// The headers it came with.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// When, counted from the server's start.
    pub at: Duration,
}

/// A server on 127.0.0.1 that speaks all protocols, bills, and misbehaves on demand.
///
/// It runs on a thread of its own, so that a test may block. Dropping it closes every connection.
pub struct TestProvider {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<Script>,
    options: Options,
    started: Instant,
    counts: Arc<watch::Sender<Counts>>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    billed_sum: Usage,
    billed_calls: u64,
    billed: Vec<BilledCall>,
    seen: Vec<SeenRequest>,
    received: Vec<Arc<Mutex<Vec<u8>>>>,
}

impl TestProvider {
    /// Starts a server that follows a script. It accepts connections when this returns.
    ///
    /// # Panics
    /// If the system gives no port or no thread.
    pub fn start(script: impl Fn(&SeenRequest) -> Behaviour + Send + Sync + 'static) -> Self {
        Self::start_with(Options::default(), script)
    }

    /// Starts a server that answers every request with [`Behaviour::echo`].
    pub fn echoing() -> Self {
        Self::start(Behaviour::echo)
    }

    /// Starts a server of these options.
    ///
    /// # Panics
    /// If the system gives no port or no thread.
    pub fn start_with(
        options: Options,
        script: impl Fn(&SeenRequest) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("the system gives an event queue");
        let listener = listen(&runtime, options.port);
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            options,
            started: Instant::now(),
            counts: Arc::new(watch::Sender::new(Counts::default())),
            log: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("test-provider".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, served) => {}
                        // An error says that the server was dropped, which is the same wish.
                        _ = stopped => {}
                    }
                });
            })
            .expect("the system gives a thread");
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Returns the origin, as in `http://127.0.0.1:40123`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the calls that were billed, in order. Empty under [`Keep::Sums`].
    pub fn billed(&self) -> Vec<BilledCall> {
        self.shared.log().billed.clone()
    }

    /// Returns the number of billed calls and the sum of their bills.
    pub fn billed_sum(&self) -> (u64, Usage) {
        let log = self.shared.log();
        (log.billed_calls, log.billed_sum)
    }

    /// Returns the requests that were read, in order. Empty under [`Keep::Sums`].
    pub fn seen(&self) -> Vec<SeenRequest> {
        self.shared.log().seen.clone()
    }

    /// Tells whether these bytes arrived on any connection, in a request that was complete or not.
    pub fn received(&self, needle: &[u8]) -> bool {
        let connections = self.shared.log().received.clone();
        connections.iter().any(|bytes| {
            let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.windows(needle.len().max(1)).any(|window| window == needle)
        })
    }

    /// Returns the number of bytes that arrived on all connections.
    pub fn received_bytes(&self) -> usize {
        let connections = self.shared.log().received.clone();
        let length = |bytes: &Arc<Mutex<Vec<u8>>>| bytes.lock().map_or(0, |bytes| bytes.len());
        connections.iter().map(length).sum()
    }

    /// Returns what was counted so far.
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until `enough` holds for the counts. Any runtime will do.
    pub async fn wait_until(&self, mut enough: impl FnMut(&Counts) -> bool) -> Counts {
        let mut counts = self.shared.counts.subscribe();
        *counts.wait_for(|counts| enough(counts)).await.expect("this server keeps the sender alive")
    }

    /// Waits until `n` requests were read.
    pub async fn wait_for_requests(&self, n: u64) {
        self.wait_until(|counts| counts.requests >= n).await;
    }

    /// Waits until the client has let go of `n` responses before their end.
    pub async fn wait_for_aborts(&self, n: u64) {
        self.wait_until(|counts| counts.aborted >= n).await;
    }

    /// Waits as [`wait_for_requests`](Self::wait_for_requests) does, blocking the thread. Not for
    /// use inside a runtime.
    pub fn block_for_requests(&self, n: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without drivers needs nothing of the system");
        runtime.block_on(self.wait_for_requests(n));
    }
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the script has been printed where it happened.
            thread.join().ok();
        }
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeps_everything(&self) -> bool {
        self.options.keep == Keep::Everything
    }

    fn record(&self, seen: SeenRequest, bill: Option<Usage>) {
        let mut log = self.log();
        if let Some(usage) = bill {
            log.billed_calls += 1;
            log.billed_sum = log.billed_sum + usage;
        }
        if self.keeps_everything() {
            if let Some(usage) = bill {
                log.billed.push(BilledCall {
                    number: seen.number,
                    protocol: seen.protocol,
                    path: seen.path().to_owned(),
                    usage,
                    headers: seen.headers.clone(),
                    body: seen.body.clone(),
                    at: seen.at,
                });
            }
            log.seen.push(seen);
        }
    }
}

/// Listens with room for hundreds of clients that connect at once: a queue that is full makes them
/// wait a second before they try again.
fn listen(runtime: &tokio::runtime::Runtime, port: u16) -> TcpListener {
    let _inside = runtime.enter();
    let socket = TcpSocket::new_v4().expect("the system gives a socket");
    socket.set_reuseaddr(true).expect("a fresh socket takes options");
    socket
        .bind((Ipv4Addr::LOCALHOST, port).into())
        .expect("the loopback interface has a free port");
    socket.listen(4096).expect("a bound socket listens")
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        // Running out of descriptors is the one error here; the client sees a refused connection.
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).ok();
        let reset = Arc::new(AtomicBool::new(false));
        let received = shared.keeps_everything().then(Arc::default);
        shared.log().received.extend(received.clone());
        shared.counts.send_modify(|counts| counts.connections += 1);
        let io = TokioIo::new(Connection::new(stream, Arc::clone(&reset), received));
        let shared = Arc::clone(&shared);
        let service =
            service_fn(move |request| serve(Arc::clone(&shared), Arc::clone(&reset), request));
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            // Broken connections are this server's trade.
            http.timer(TokioTimer::new()).serve_connection(io, service).await.ok();
        });
    }
}

async fn serve(
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
    request: Request<Incoming>,
) -> Result<Response<ScriptedBody>, BrokenOff> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| BrokenOff)?.to_bytes();
    let mut number = 0;
    shared.counts.send_if_modified(|counts| {
        number = counts.requests;
        counts.requests += 1;
        // Those who wait are told once the request is also in the log.
        false
    });
    let seen = SeenRequest {
        number,
        protocol: protocol_of(&head.method, head.uri.path()),
        method: head.method,
        uri: head.uri,
        headers: head.headers,
        json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        body,
        dialect: shared.options.dialect,
        at: shared.started.elapsed(),
    };
    let behaviour = (shared.script)(&seen);
    let Planned { response, bill, before } = respond::plan(&seen, behaviour);
    shared.record(seen, bill);
    let mut in_flight = InFlight::new(Arc::clone(&shared.counts));
    shared.counts.send_modify(|_| {});
    before.passed().await;
    let Some(response) = response else {
        reset.store(true, Ordering::Release);
        in_flight.complete();
        return Err(BrokenOff);
    };
    Ok(response.map(|script| ScriptedBody::new(script, reset, in_flight)))
}
