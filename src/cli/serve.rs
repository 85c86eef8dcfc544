//! `serve`: the API and the page on one local port.

use super::models::load_default;
use crate::config::{MOST_LOCAL_JOBS, ServeArgs, job_limits, local_limits};
use crate::container::stop_signal;
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::http::{Desk, Page, Service, ServiceLimits, built, now, run_server, server_router};
use crate::jobs::LocalJobs;
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
    let folder = JobFolder::of(args.jobs.as_deref());
    let runtime = runtime().map_err(Error::io("The server cannot start"))?;
    let served = runtime.block_on(async {
        let service = service(models.clone(), &args, &folder.path).await?;
        let listener = TcpListener::bind((args.host.as_str(), args.port))
            .await
            .map_err(Error::io("The port cannot be opened; try --port 0 for a free one"))?;
        let address = listener.local_addr().map_err(Error::io("The port cannot be read"))?;
        println!("Ichor is ready at http://{address}");
        let server = run_server(listener, page.beside(server_router(service)), stop_signal());
        tokio::select! {
            served = server => served.map_err(Error::io("The server stopped")),
            error = failed(&models) => Err(error),
        }
    });
    // A job of a folder that stays is taken up again; one whose folder goes stops at its next slice.
    folder.remove();
    runtime.shutdown_timeout(folder.patience());
    served
}

/// Few threads that stay for the blocking work (slices, a job, files): each new one would begin a
/// heap of its own, and what was freed in the old ones is not given back.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(cores + 2)
        .thread_keep_alive(Duration::from_secs(3600))
        .build()
}

/// Builds the networks beside the default one while that serves already; ends only if one cannot be built.
async fn failed(models: &Arc<Models>) -> Error {
    match built(models).await {
        Ok(()) => std::future::pending().await,
        Err(error) => error,
    }
}

async fn service(models: Arc<Models>, args: &ServeArgs, folder: &Path) -> Result<Arc<Service>> {
    let limits = ServiceLimits { rate: args.rate(), ..local_limits() };
    let store = DirObjects::open(folder)?;
    let slice = limits.slice;
    let jobs = LocalJobs::start(store, job_limits(), MOST_LOCAL_JOBS, models.clone(), slice, now);
    let desk = Desk::Local(jobs.await?);
    let log = args.log.then_some(to_stdout as fn(&str));
    Ok(Service::with_jobs(models, limits, Some(desk), log))
}

/// Where uploads and results lie.
struct JobFolder {
    path: PathBuf,
    temporary: bool,
}

impl JobFolder {
    /// The folder given, or one of a name that nobody can guess and take first.
    fn of(given: Option<&Path>) -> Self {
        let own = || std::env::temp_dir().join(format!("ichor-{}", uuid::Uuid::new_v4().simple()));
        Self { path: given.map_or_else(own, Path::to_path_buf), temporary: given.is_none() }
    }

    /// Time that a running job gets to notice that it is over.
    fn patience(&self) -> Duration {
        Duration::from_secs(if self.temporary { 5 } else { 0 })
    }

    fn remove(&self) {
        if self.temporary {
            // What cannot be removed is readable by this user alone.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Drop for JobFolder {
    /// Once more, for what a job wrote while it noticed; and where the server never came up.
    fn drop(&mut self) {
        self.remove();
    }
}
