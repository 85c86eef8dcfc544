//! `serve`: the API and the page on one local port.

use super::load;
use crate::config::PAGE_POLICY;
use crate::config::{ServeArgs, local_limits};
use crate::error::{Error, Result};
use crate::http::{Service, router};
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

pub(super) fn serve(args: ServeArgs) -> Result<()> {
    let models = load(&args.model_dir, args.default_model.as_deref())?;
    if !args.frontend.join("index.html").is_file() {
        return Err(Error::InvalidParameter(
            "The page was not found. Start in the project's folder or give --frontend.".into(),
        ));
    }
    let app = with_page(router(Service::new(models, local_limits())), &args);
    let runtime = tokio::runtime::Runtime::new().map_err(Error::io("The server cannot start"))?;
    runtime.block_on(async {
        let listener = TcpListener::bind((args.host.as_str(), args.port))
            .await
            .map_err(Error::io("The port cannot be opened; try --port 0 for a free one"))?;
        let address = listener.local_addr().map_err(Error::io("The port cannot be read"))?;
        println!("Ichor is ready at http://{address}");
        axum::serve(listener, app)
            .with_graceful_shutdown(stop_signal())
            .await
            .map_err(Error::io("The server stopped"))
    })
}

fn with_page(api: Router, args: &ServeArgs) -> Router {
    let header =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    // Compressed as a content delivery network would; answers of the API are pictures already.
    let page = Router::new().fallback_service(ServeDir::new(&args.frontend));
    api.fallback_service(page.layer(CompressionLayer::new()))
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

/// Ctrl-C, or the TERM that service managers send.
async fn stop_signal() {
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
