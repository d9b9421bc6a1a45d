//! The process: listeners, signals, the end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime;
#[cfg(unix)]
use tokio::signal::unix;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::error::Error;
use crate::guard::{Guard, Policy};
use crate::listener::{Listener, Sockets};
use crate::{admin, connection, log, systemd};

/// How many connections may be open at the address for operators.
const ADMIN_CONNECTIONS: usize = 64;

/// File descriptors beside those of connections: the issuers', the logs'.
const OTHER_FILES: u64 = 128;

/// Runs until the process is told to end.
pub(crate) fn run(config: Config) -> Result<(), Error> {
    let mut builder = match config.threads {
        1 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(config.threads).enable_all();
    let runtime =
        builder.build().map_err(|error| Error::Local(format!("cannot start threads: {error}")))?;
    let outcome = runtime.block_on(serve(config));
    // Does not wait for a key fetch in progress.
    runtime.shutdown_background();
    outcome
}

async fn serve(config: Config) -> Result<(), Error> {
    let mut signals = Signals::new()?;
    let addresses: Vec<_> =
        config.listeners.iter().map(|(address, _)| address).chain(&config.admin).collect();
    let mut sockets = Sockets::new(config.socket_mode, &addresses)?;
    let mut listeners = Vec::new();
    for (address, policy) in config.listeners {
        listeners.push((sockets.bind(&address)?, policy));
    }
    let admin = config.admin.map(|address| sockets.bind(&address)).transpose()?;

    let guard = config.guard;
    let limit = Arc::new(Semaphore::new(connections(config.max_connections)));
    // The receiver hears of the end of the last connection: then no sender is left.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let (stop, stopping) = watch::channel(());
    for (listener, policy) in listeners {
        let accept = Accept {
            guard: guard.clone(),
            limit: limit.clone(),
            stopping: stopping.clone(),
            open: open.clone(),
        };
        tokio::spawn(accept.run(listener, Purpose::Authorization(Arc::new(policy))));
    }
    if let Some(listener) = admin {
        let limit = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
        let accept = Accept { guard: guard.clone(), limit, stopping, open: open.clone() };
        tokio::spawn(accept.run(listener, Purpose::Operators));
    }
    drop(open);
    tokio::spawn(guard.keys.clone().keep_fresh());
    tokio::spawn(guard.keys.clone().watch_file());
    systemd::notify("READY=1");

    let signal = signals.next().await;
    systemd::notify("STOPPING=1");
    log::line(&format!("stopping: {signal}"));
    drop(stop);
    let ended = tokio::select! {
        ended = timeout(config.shutdown_timeout, all_closed.recv()) => ended.is_ok(),
        _ = signals.next() => false,
    };
    sockets.remove();
    log::line(if ended { "stopped" } else { "stopped with requests in progress" });
    Ok(())
}

/// How many connections the limit of open files leaves, after it was raised as far as allowed.
fn connections(wanted: usize) -> usize {
    let needed = (wanted as u64).saturating_add(OTHER_FILES);
    // An error: the limit stays as it is, and is read.
    let allowed = rlimit::increase_nofile_limit(needed).unwrap_or(needed);
    let most = usize::try_from(allowed.saturating_sub(OTHER_FILES)).unwrap_or(wanted).max(1);
    if most < wanted {
        log::line(&format!(
            "max-connections: {most}, because of the limit of {allowed} open files"
        ));
    }
    wanted.min(most)
}

/// The purpose of a listener's connections.
#[derive(Clone)]
enum Purpose {
    /// Authorization requests, answered by this policy.
    Authorization(Arc<Policy>),
    /// Health and metrics.
    Operators,
}

/// Accepts the connections of a listener.
struct Accept {
    guard: Arc<Guard>,
    limit: Arc<Semaphore>,
    stopping: watch::Receiver<()>,
    open: mpsc::Sender<()>,
}

impl Accept {
    /// Accepts until the process stops. Then the listener is closed.
    async fn run(self, listener: Listener, purpose: Purpose) {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = self.accept(listener, purpose) => {}
            _ = stopping.changed() => {}
        }
    }

    async fn accept(self, listener: Listener, purpose: Purpose) {
        let mut failing = false;
        loop {
            // Beyond the limit, connections wait to be accepted. The semaphore is never closed.
            let Ok(permit) = self.limit.clone().acquire_owned().await else { return };
            let accepted = match &listener {
                Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| {
                    prepare(&stream);
                    self.spawn(stream, &purpose, permit);
                }),
                #[cfg(unix)]
                Listener::Unix(listener) => {
                    listener.accept().await.map(|(stream, _)| self.spawn(stream, &purpose, permit))
                }
            };
            match accepted {
                Ok(()) => failing = false,
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    if !failing {
                        log::line(&format!("cannot accept connections: {error}"));
                    }
                    failing = true;
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn<S>(&self, stream: S, purpose: &Purpose, permit: OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (guard, purpose) = (self.guard.clone(), purpose.clone());
        let (stopping, open) = (self.stopping.clone(), self.open.clone());
        tokio::spawn(async move {
            match &purpose {
                Purpose::Authorization(policy) => {
                    let _counted = guard.metrics.connections().count();
                    let answer = |request| guard.answer(policy, request);
                    connection::serve(stream, stopping, answer).await;
                }
                Purpose::Operators => {
                    let answer = async |request: Request<Incoming>| {
                        admin::answer(&guard, request.method(), request.uri().path())
                    };
                    connection::serve(stream, stopping, answer).await;
                }
            }
            drop((open, permit));
        });
    }
}

/// How long to wait after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whether the connection was given up before it was accepted.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Answers are sent at once. Peers that vanished are noticed: a connection may rest forever.
fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(60));
    // Without them the connection works as well.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// The signals that end the process.
#[cfg(unix)]
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Error> {
        let signal = |kind| {
            let failed = |error| Error::Local(format!("cannot wait for signals: {error}"));
            unix::signal(kind).map_err(failed)
        };
        Ok(Signals {
            terminate: signal(unix::SignalKind::terminate())?,
            interrupt: signal(unix::SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, Error> {
        Ok(Signals)
    }

    async fn next(&mut self) -> &'static str {
        // An error: nothing can end the process gracefully.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
