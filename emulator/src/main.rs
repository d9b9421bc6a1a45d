//! The local torii as a program.

use std::future::{Future, pending};
use std::io::{self, Write, stdin, stdout};
use std::process::ExitCode;
use std::thread;

use serde_json::json;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use torii_emulator::Emulator;

const HELP: &str = "\
torii-emulator: a local torii for tests and for working offline

Usage: torii-emulator [--port PORT] [--until-stdin-closes]

  --port PORT            listen on this port of 127.0.0.1 (default 0: any free one)
  --until-stdin-closes   also end when standard input closes
  --help                 print this help

Prints one line of JSON with its addresses, then serves until SIGTERM or SIGINT.
";

/// The parsed command line.
enum Command {
    Help,
    Serve { port: u16, until_stdin_closes: bool },
}

fn main() -> ExitCode {
    let outcome = parse(std::env::args().skip(1)).and_then(|command| match command {
        Command::Help => {
            print!("{HELP}");
            Ok(())
        }
        Command::Serve { port, until_stdin_closes } => serve(port, until_stdin_closes),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("torii-emulator: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut port, mut until_stdin_closes) = (0, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--until-stdin-closes" => until_stdin_closes = true,
            "--port" => {
                let value = arguments.next().ok_or("--port: missing value (expected a number)")?;
                port = value.parse().map_err(|_| {
                    format!("--port: {value:?} is not a port (expected 0 to 65535)")
                })?;
            }
            other => return Err(format!("unknown argument {other:?}; see --help")),
        }
    }
    Ok(Command::Serve { port, until_stdin_closes })
}

fn serve(port: u16, until_stdin_closes: bool) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot wait for signals: {error}"))?;
    let emulator = Emulator::start_on(port)
        .map_err(|error| format!("cannot listen on port {port} of 127.0.0.1: {error}"))?;
    runtime.block_on(async {
        let signalled =
            end_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
        announce(&emulator)?;
        tokio::select! {
            () = signalled => {}
            () = stdin_end(until_stdin_closes) => {}
        }
        Ok(())
    })
}

/// Prints the addresses. Programs that start this one wait for this line.
fn announce(emulator: &Emulator) -> Result<(), String> {
    let issuer = emulator.issuer("acme");
    let line = json!({
        "url": emulator.url(),
        "control": emulator.control_url(),
        "issuer": issuer.url(),
        "environment_id": issuer.environment_id(),
        "secret_key": issuer.secret_key(),
        "pid": std::process::id(),
    });
    let mut out = stdout();
    let printed = writeln!(out, "{line}").and_then(|()| out.flush());
    printed.map_err(|error| format!("cannot print the addresses: {error}"))
}

/// Listens for the signals that end the program, from this call on.
#[cfg(unix)]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Listens for the signal that ends the program, from this call on.
#[cfg(windows)]
fn end_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        let _ = interrupt.recv().await;
    })
}

/// Ends when standard input does, or never.
async fn stdin_end(wanted: bool) {
    if !wanted {
        return pending().await;
    }
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        // An error ends the input as well, and the receiver may be gone at exit.
        let _ = io::copy(&mut stdin().lock(), &mut io::sink());
        let _ = sender.send(());
    });
    // An error means that the reading thread is gone, so there is no input either.
    let _ = receiver.await;
}
