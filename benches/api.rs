//! The cost of a call of the backend API over a bare request, on one connection that is kept open:
//! `make bench`.
//!
//! With `TORII_BENCH_PYTHON`, a Python that has `torii-backend`, the official client takes part too.
//! Contenders take turns in short rounds, and the median round counts.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking"
)]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Instant;

use torii::{Client, ClientOptions};

const ROUNDS: usize = 31;

/// Calls in a round.
const CALLS: usize = 500;

const USER: &str = "01a20c38-c4fe-701a-b106-d04e58291c23";

/// Makes a round of calls, and says how long one of them took.
type Round<'a> = Box<dyn FnMut() -> f64 + 'a>;

fn main() {
    let url = serve();
    let path = format!("{url}/api/server/v1/users/{USER}");
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().proxy(None).build());
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let mut official = std::env::var("TORII_BENCH_PYTHON").ok().map(|p| Official::new(&p, &url));

    let mut contenders: Vec<(&str, Round<'_>)> = vec![
        (
            "ureq alone",
            Box::new(move || {
                time(|| {
                    let mut request = agent.get(&path);
                    request = request.header("authorization", "Bearer sk_test_1");
                    let mut answer = request.call().unwrap();
                    black_box(answer.body_mut().read_to_vec().unwrap());
                })
            }),
        ),
        (
            "users().get()",
            Box::new(move || {
                time(|| {
                    black_box(client.users().get(USER).unwrap());
                })
            }),
        ),
    ];
    if let Some(official) = &mut official {
        contenders.push(("torii-backend (Python)", Box::new(|| official.round())));
    }
    let mut rounds = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, rounds) in contenders.iter_mut().zip(&mut rounds) {
            rounds.push(contender.1());
        }
    }
    let mut medians = rounds.iter_mut().map(|rounds| {
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    });
    let bare = medians.next().unwrap();
    println!("{:26} {:>8} {:>10} {:>8}", "one connection", "us", "over bare", "per s");
    for ((name, _), time) in contenders.iter().zip(std::iter::once(bare).chain(medians)) {
        let (time, over) = (time * 1e6, (time - bare) * 1e6);
        println!("{name:26} {time:8.1} {over:10.1} {:8.0}", 1e6 / time);
    }
}

/// Seconds for one of many calls.
fn time(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    start.elapsed().as_secs_f64() / CALLS as f64
}

/// A server that does next to nothing, so that what clients do is seen.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer(&stream.unwrap()));
        }
    });
    url
}

fn answer(stream: &TcpStream) {
    let body = format!(
        r#"{{"id":"{USER}","environmentId":"{USER}","email":"ada@example.com","firstName":"Ada","lastName":null,"locale":"en","status":"active","createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","publicMetadata":{{}},"privateMetadata":{{"plan":"pro"}},"unsafeMetadata":{{}}}}"#
    );
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.set_nodelay(true).unwrap();
    let (mut lines, mut stream) = (BufReader::new(stream), stream);
    let mut line = String::new();
    while lines.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line == "\r\n" {
            stream.write_all(answer.as_bytes()).unwrap();
        }
        line.clear();
    }
}

/// The official client, in a process of its own that makes a round for each line it is sent.
struct Official {
    process: Child,
    orders: ChildStdin,
    times: BufReader<ChildStdout>,
}

const SCRIPT: &str = "
import sys, time
from torii_backend import create_torii_client
url, user, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = create_torii_client(secret_key='sk_test_1', api_url=url)
for _ in sys.stdin:
    start = time.perf_counter()
    for _ in range(calls):
        client.users.get(user)
    print((time.perf_counter() - start) / calls, flush=True)
";

impl Official {
    fn new(python: &str, url: &str) -> Self {
        let mut process = Command::new(python)
            .args(["-c", SCRIPT, url, USER, &CALLS.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let times = BufReader::new(process.stdout.take().unwrap());
        Official { process, orders, times }
    }

    fn round(&mut self) -> f64 {
        writeln!(self.orders).unwrap();
        let mut line = String::new();
        self.times.read_line(&mut line).unwrap();
        line.trim().parse().expect("a time from the official client")
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
