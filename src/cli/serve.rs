//! `serve`: the API and the page on one local port.

use super::models::{load_default, source_of};
use crate::config::ServeArgs;
use crate::container::stop_signal;
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::http::{
    JobBackend, Page, Rate, Service, ServiceLimits, now, run_server, server_router,
    wait_until_built,
};
use crate::jobs::{JobLimits, LocalJobs, MAX_LOCAL_JOBS};
use crate::object_store::DirObjects;
use crate::segmenter::Models;
use crate::telemetry::to_stdout;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub(super) fn serve(args: ServeArgs, embedded: &'static Embedded) -> Result<()> {
    let default = args.default_model.as_deref();
    let models = Arc::new(load_default(&args.model_dir, embedded, default)?);
    let page = Page::find(args.frontend.as_deref(), embedded)?;
    let folder = JobFolder::new(args.jobs.as_deref());
    let runtime = runtime().map_err(Error::io("The server cannot start"))?;
    let served = runtime.block_on(async {
        let service = service(models.clone(), &args, &folder.path).await?;
        let listener = TcpListener::bind((args.host.as_str(), args.port))
            .await
            .map_err(Error::io("The port cannot be opened; try --port 0 for a free one"))?;
        let address = listener.local_addr().map_err(Error::io("The port cannot be read"))?;
        println!("Ichor is ready at http://{address}");
        let source = source_of(&args.model_dir, embedded);
        let router = page.with_api(server_router(service), models.clone(), source);
        let server = run_server(listener, router, stop_signal());
        tokio::select! {
            served = server => served.map_err(Error::io("The server stopped")),
            error = build_failure(&models) => Err(error),
        }
    });
    // A running job stops at its next slice when its folder is deleted. In a permanent folder it is resumed later.
    folder.remove();
    runtime.shutdown_timeout(folder.shutdown_timeout());
    served
}

/// A runtime with few blocking threads (for slices, a job, files) that are kept: each new thread would allocate its own heap,
/// while the freed memory of old threads is not returned.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(cores + 2)
        .thread_keep_alive(Duration::from_secs(3600))
        .build()
}

/// Builds the networks of the other models while the default one serves. Returns only if one cannot be built.
async fn build_failure(models: &Arc<Models>) -> Error {
    match wait_until_built(models).await {
        Ok(()) => std::future::pending().await,
        Err(error) => error,
    }
}

async fn service(models: Arc<Models>, args: &ServeArgs, folder: &Path) -> Result<Arc<Service>> {
    let burst = args.request_burst.max(1.0);
    let rate = args.requests_per_second.map(|per_second| Rate { per_second, burst });
    let limits = ServiceLimits { rate, ..ServiceLimits::local() };
    let store = DirObjects::open(folder)?;
    let slice = limits.slice;
    let jobs =
        LocalJobs::start(store, JobLimits::default(), MAX_LOCAL_JOBS, models.clone(), slice, now);
    let backend = JobBackend::Local(jobs.await?);
    let log = args.log.then_some(to_stdout as fn(&str));
    Ok(Service::with_jobs(models, limits, Some(backend), log))
}

/// The folder of uploads and results.
struct JobFolder {
    path: PathBuf,
    is_temporary: bool,
}

impl JobFolder {
    /// `folder`, or a temporary one whose name cannot be guessed.
    fn new(folder: Option<&Path>) -> Self {
        let temporary =
            || std::env::temp_dir().join(format!("ichor-{}", uuid::Uuid::new_v4().simple()));
        Self {
            path: folder.map_or_else(temporary, Path::to_path_buf),
            is_temporary: folder.is_none(),
        }
    }

    /// Time in which a running job notices that its folder is deleted.
    fn shutdown_timeout(&self) -> Duration {
        Duration::from_secs(if self.is_temporary { 5 } else { 0 })
    }

    fn remove(&self) {
        if self.is_temporary {
            // Files that cannot be removed are readable by this user only.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Drop for JobFolder {
    /// Removes what a job wrote after the first removal, and the folder of a server that failed to start.
    fn drop(&mut self) {
        self.remove();
    }
}
