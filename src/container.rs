//! Startup, health check and shutdown of a server in a container or under a service manager.

use crate::engine::{Engine, EngineFacts};
use crate::error::{Error, Result};
use crate::segmenter::Models;
use crate::telemetry::{Unit, line, now_ms};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The line of telemetry at startup: the engine of each model, and a metric that counts engines without the GPU
/// that they were meant to use, for an alarm.
pub fn startup_line(models: &Models, duration: Duration) -> String {
    let engines: Vec<(&str, EngineFacts)> = models
        .iter()
        .filter_map(|m| Some((m.spec().name.as_str(), Engine::facts(m.engine()?))))
        .collect();
    let fallbacks = engines.iter().filter(|(_, facts)| facts.fallback.is_some()).count();
    let engines: Vec<_> =
        engines.iter().map(|(model, facts)| json!({"model": model, "engine": facts})).collect();
    let facts = json!({"event": "start", "function": "container", "engines": engines});
    let metrics = [
        ("models_ms", duration.as_secs_f64() * 1e3, Unit::Milliseconds),
        ("engine_fallbacks", fallbacks as f64, Unit::Count),
    ];
    line(facts, &["function"], &metrics, now_ms())
}

/// Waits for Ctrl-C, or for TERM, which service managers send.
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
    // Without a handler, the default action of the operating system ends the process.
    let _ = interrupt.await;
}

/// Runs a server until it ends, or until `timeout` after the signal to stop. Service managers kill a process that
/// is still running a little later.
///
/// # Errors
/// [`ichor_image::Error::Io`] for a server that failed, or requests that were still running at the timeout.
pub async fn run_until_stopped(
    server: impl Future<Output = std::io::Result<()>>,
    timeout: Duration,
) -> Result<()> {
    let stop_timeout = async {
        stop_signal().await;
        tokio::time::sleep(timeout).await;
    };
    tokio::select! {
        ended = server => ended.map_err(Error::io("The server stopped")),
        () = stop_timeout => {
            let timed_out = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(Error::io("Requests were still running when the time to stop had passed")(timed_out))
        }
    }
}

/// Checks whether the server on this machine is ready, for the health check of a container.
///
/// # Errors
/// [`ichor_image::Error::Io`] where there is no answer in time, or one other than 200.
pub fn check_health(port: u16) -> Result<()> {
    let ping = || {
        let wait = Duration::from_secs(3);
        let mut stream = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), wait)?;
        stream.set_read_timeout(Some(wait))?;
        stream.write_all(b"GET /ping HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        let ready = status.ends_with(b" 200");
        if ready { Ok(()) } else { Err(std::io::Error::other("its answer is not 200")) }
    };
    ping().map_err(Error::io("The server is not ready"))
}
