//! An issuer that answers when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use torii_emulator::Issuer;

use crate::{LONG, await_until};

/// Serves one key set at every path, on a loopback address.
pub(crate) struct Server {
    url: String,
    state: Arc<State>,
}

struct State {
    response: String,
    gate: Mutex<Gate>,
    opened: Condvar,
}

#[derive(Default)]
struct Gate {
    requests: usize,
    /// How many of the requests may be answered.
    answered: usize,
}

impl Server {
    /// Starts a server with the keys of `issuer`, and these headers (each with its line's end).
    pub(crate) fn start(issuer: &Issuer, headers: &str) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let body = issuer.jwks().to_string();
        let response = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        let state = State { response, gate: Mutex::default(), opened: Condvar::new() };
        let server = Server { url, state: Arc::new(state) };
        let state = server.state.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, stream) = (state.clone(), stream.unwrap());
                thread::spawn(move || state.serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.gate.lock().unwrap().requests
    }

    /// Waits until this many requests have come.
    pub(crate) fn await_requests(&self, count: usize) {
        await_until(&format!("{count} requests"), || self.requests() >= count);
    }

    /// Answers all requests up to this one, counted from 1.
    pub(crate) fn answer(&self, count: usize) {
        self.state.gate.lock().unwrap().answered = count;
        self.state.opened.notify_all();
    }
}

impl State {
    fn serve(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let mut gate = self.gate.lock().unwrap();
        gate.requests += 1;
        let number = gate.requests;
        let held = |gate: &mut Gate| gate.answered < number;
        drop(self.opened.wait_timeout_while(gate, LONG, held).unwrap());
        // The client may be gone.
        let _ = stream.write_all(self.response.as_bytes());
    }
}
