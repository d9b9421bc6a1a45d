//! The running emulator, for Rust tests.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::contract::{CONTRACT, Violation};
use crate::fault::Fault;
use crate::issuer::Issuer;
use crate::log::Request;
use crate::server;
use crate::world::World;

/// A running emulator, on its own thread. Dropping it stops it and closes its connections.
pub struct Emulator {
    world: Arc<World>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts an emulator on any free port of 127.0.0.1.
    #[must_use]
    pub fn start() -> Self {
        Self::start_on(0).expect("a free port on 127.0.0.1")
    }

    /// Starts an emulator on the given port of 127.0.0.1; 0 selects any free one.
    ///
    /// # Errors
    /// If the port is in use, or the thread cannot be started.
    pub fn start_on(port: u16) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        listener.set_nonblocking(true)?;
        let world = Arc::new(World::new(format!("http://{}", listener.local_addr()?)));
        LazyLock::force(&CONTRACT);
        let (stop, stopped) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&world);
        let thread = thread::Builder::new().name("torii-emulator".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listening socket");
                tokio::select! {
                    () = server::serve(listener, shared) => {}
                    // An error means that the handle was dropped, which also stops the server.
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { world, stop: Some(stop), thread: Some(thread) })
    }

    /// The URL of the server API and of everything else, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        self.world.base()
    }

    /// The URL of the control API, without a trailing slash.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("{}/_emulator", self.url())
    }

    /// An issuer that exists: `acme` does from the start.
    ///
    /// # Panics
    /// If there is no issuer of that name.
    #[must_use]
    pub fn issuer(&self, name: &str) -> Issuer {
        Issuer::new(Arc::clone(&self.world), name)
    }

    /// Creates an issuer with an environment of its own.
    ///
    /// # Panics
    /// If the name is taken, or cannot stand in a URL.
    #[must_use]
    pub fn create_issuer(&self, name: &str) -> Issuer {
        self.world.create(name).unwrap_or_else(|error| panic!("{error}"));
        self.issuer(name)
    }

    /// Adds a fault.
    ///
    /// # Panics
    /// If the fault names an impossible status or header.
    pub fn fault(&self, fault: Fault) {
        self.world.faults.add(fault).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Releases the requests whose path begins with `path` and that are held now (see
    /// [`FaultKind::Hold`](crate::FaultKind::Hold)). Returns how many there were, without those
    /// whose client has gone. A request is held before [`wait_for`](Self::wait_for) counts it.
    pub fn release(&self, path: &str) -> usize {
        self.world.faults.release(path)
    }

    /// Ends all faults, and with them the requests that hang or are held.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
    }

    /// Returns the last requests to the service, oldest first, without those to the control API.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.world.log.read(|log| log.requests.iter().cloned().collect())
    }

    /// Returns the number of requests whose path begins with `path`.
    #[must_use]
    pub fn count(&self, path: &str) -> u64 {
        self.world.log.count(path)
    }

    /// Waits for `count` requests whose path begins with `path`. Returns false after the timeout. A
    /// request counts on arrival, before any fault.
    #[must_use]
    pub fn wait_for(&self, path: &str, count: u64, timeout: Duration) -> bool {
        self.world.log.wait(path, count, timeout)
    }

    /// Returns the number of accepted connections.
    #[must_use]
    pub fn accepted_connections(&self) -> u64 {
        self.world.log.read(|log| log.accepted)
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn open_connections(&self) -> u64 {
        self.world.log.read(|log| log.open)
    }

    /// Forgets the requests and their counts.
    pub fn clear_requests(&self) {
        self.world.log.clear();
    }

    /// Returns the violations of the contract of the server API so far, by requests and by answers.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.world.violations.list()
    }

    /// Resets everything to the initial state; `acme` keeps its id and its secret key.
    pub fn reset(&self) {
        self.world.reset();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The thread may have stopped already; joining tells.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
