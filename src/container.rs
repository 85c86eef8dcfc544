//! What a server in a container, or under a service manager, does at its start and at its end.

use crate::engine::{Engine, EngineFacts};
use crate::error::{Error, Result};
use crate::segmenter::Models;
use crate::telemetry::{Unit, line, now_ms};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The line of telemetry of a start: which engine runs each model, and as a metric whether the card
/// that was looked for is missing, for an alarm.
pub fn start_line(models: &Models, took: Duration) -> String {
    let engines: Vec<(&str, EngineFacts)> = models
        .iter()
        .filter_map(|m| Some((m.spec().name.as_str(), Engine::facts(m.engine()?))))
        .collect();
    let fallbacks = engines.iter().filter(|(_, facts)| facts.fallback.is_some()).count();
    let engines: Vec<_> =
        engines.iter().map(|(model, facts)| json!({"model": model, "engine": facts})).collect();
    let facts = json!({"event": "start", "function": "container", "engines": engines});
    let metrics = [
        ("models_ms", took.as_secs_f64() * 1e3, Unit::Milliseconds),
        ("engine_fallbacks", fallbacks as f64, Unit::Count),
    ];
    line(facts, &["function"], &metrics, now_ms())
}

/// Ctrl-C, or the TERM that service managers send.
pub async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the system's default ends the process, which is what was asked.
    let _ = interrupt.await;
}

/// Runs a server until it has ended by itself, or for `patience` after the signal to stop: whoever
/// sent it kills what is still there a little later, without a word.
///
/// # Errors
/// [`ichor_image::Error::Io`] for a server that broke down, or requests that were cut off.
pub async fn until_stopped(
    server: impl Future<Output = std::io::Result<()>>,
    patience: Duration,
) -> Result<()> {
    let too_late = async {
        stop_signal().await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        ended = server => ended.map_err(Error::io("The server stopped")),
        () = too_late => {
            let cut = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(Error::io("Requests were still running when the time to stop was over")(cut))
        }
    }
}

/// Asks the server of this machine whether it is ready, as health checks of containers do.
///
/// # Errors
/// [`ichor_image::Error::Io`] where nobody answers in time, or the answer is not that.
pub fn ask_ping(port: u16) -> Result<()> {
    let ask = || {
        let wait = Duration::from_secs(3);
        let mut stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), wait)?;
        stream.set_read_timeout(Some(wait))?;
        stream.write_all(b"GET /ping HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        let ready = status.ends_with(b" 200");
        if ready { Ok(()) } else { Err(std::io::Error::other("it says that it is not")) }
    };
    ask().map_err(Error::io("The server is not ready"))
}
