//! `serve`: the API and the page on one local port.

use super::models::load_default;
use crate::config::{MOST_LOCAL_JOBS, PAGE_POLICY, ServeArgs, job_limits, local_limits};
use crate::container::stop_signal;
use crate::embedded::Embedded;
use crate::error::{Error, Result};
use crate::http::{Desk, Service, ServiceLimits, built, now, page_router, router};
use crate::jobs::LocalJobs;
use crate::object_store::DirObjects;
use crate::segmenter::Models;
use crate::telemetry::to_stdout;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

pub(super) fn serve(args: ServeArgs, embedded: &'static Embedded) -> Result<()> {
    let default = args.default_model.as_deref();
    let models = Arc::new(load_default(&args.model_dir, embedded, default)?);
    let page = Page::find(args.frontend.as_deref(), embedded)?;
    let folder = JobFolder::of(args.jobs.as_deref());
    let runtime = runtime().map_err(Error::io("The server cannot start"))?;
    let served = runtime.block_on(async {
        let app = with_page(api(models.clone(), &args, &folder.path).await?, page);
        let listener = TcpListener::bind((args.host.as_str(), args.port))
            .await
            .map_err(Error::io("The port cannot be opened; try --port 0 for a free one"))?;
        let address = listener.local_addr().map_err(Error::io("The port cannot be read"))?;
        println!("Ichor is ready at http://{address}");
        let server = axum::serve(listener, app).with_graceful_shutdown(stop_signal());
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

async fn api(models: Arc<Models>, args: &ServeArgs, folder: &Path) -> Result<Router> {
    let limits = ServiceLimits { rate: args.rate(), ..local_limits() };
    let store = DirObjects::open(folder)?;
    let slice = limits.slice;
    let jobs = LocalJobs::start(store, job_limits(), MOST_LOCAL_JOBS, models.clone(), slice, now);
    let desk = Desk::Local(jobs.await?);
    let log = args.log.then_some(to_stdout as fn(&str));
    Ok(router(Service::with_jobs(models, limits, Some(desk), log)))
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

/// Where the page comes from.
enum Page {
    Folder(PathBuf),
    Carried(&'static Embedded),
}

impl Page {
    /// The folder that is named; the page that the program carries; or that of the project.
    fn find(folder: Option<&Path>, embedded: &'static Embedded) -> Result<Self> {
        if folder.is_none() && embedded.page_file("/").is_some() {
            return Ok(Self::Carried(embedded));
        }
        let folder = folder.unwrap_or(Path::new("frontend"));
        if folder.join("index.html").is_file() {
            return Ok(Self::Folder(folder.to_path_buf()));
        }
        let detail =
            "The page was not found. Give --frontend the folder that holds its index.html.";
        Err(Error::InvalidParameter(detail.into()))
    }

    fn router(self) -> Router {
        match self {
            Self::Folder(folder) => Router::new().fallback_service(ServeDir::new(folder)),
            Self::Carried(embedded) => page_router(embedded),
        }
    }
}

fn with_page(api: Router, page: Page) -> Router {
    let header =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    // Compressed as a content delivery network would; answers of the API are pictures already.
    api.fallback_service(page.router().layer(CompressionLayer::new()))
        .layer(SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, policy))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "no-referrer"))
        .layer(header(header::CACHE_CONTROL, "no-cache"))
}

/// The policy is that of documents; beside each of their parts it would weigh more than the part.
fn policy(response: &Response) -> Option<HeaderValue> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    kind.starts_with("text/html").then(|| HeaderValue::from_static(PAGE_POLICY))
}
