//! Problems in the form that clients receive (RFC 9457), and the table from errors to HTTP status.

use crate::error::Error;
use ::http::StatusCode;
use serde::Serialize;

/// An error in the form that a client receives.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable identifier, for programs.
    pub code: &'static str,
    /// What is wrong, where, and what to do.
    pub detail: String,
    /// Seconds after which to send the request again, where that helps.
    pub retry_after_s: Option<u64>,
    /// What failed on this side. For the log of the operator; clients do not receive it.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem that occurs again with the same request.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after_s: None, cause: None }
    }

    /// The same problem, with the number of seconds after which to send the request again.
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The same problem, with what failed on this side.
    fn caused_by(mut self, error: &Error) -> Self {
        self.cause = Some(error.to_string());
        self
    }

    /// A failure of the service; the client learns no details.
    pub fn internal() -> Self {
        let detail = "The service failed on this input. Try another export of the image, and report \
                      the request_id if it happens again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// The body of the answer.
    pub fn body(&self, request_id: &str) -> ProblemBody<'_> {
        ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            request_id: request_id.to_owned(),
        }
    }
}

/// A problem as `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct ProblemBody<'a> {
    /// Always `about:blank`: `code` identifies the kind of problem.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Name of the HTTP status.
    pub title: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Stable identifier, for programs.
    pub code: &'static str,
    /// What is wrong, where, and what to do.
    pub detail: &'a str,
    /// Identifier of the request.
    pub request_id: String,
}

/// As JSON text.
impl std::fmt::Display for ProblemBody<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use StatusCode as S;
        use ichor_core::Error as Core;
        use ichor_image::Error as Image;
        let status = match &error {
            Error::InvalidParameter(_)
            | Error::Core(
                Core::InvalidParameter(_)
                | Core::Image(Image::EmptyInput | Image::Undecodable(_) | Image::InvalidParameter(_)),
            ) => S::BAD_REQUEST,
            Error::Core(Core::ModelNotFound(_)) => S::NOT_FOUND,
            Error::Core(Core::Image(Image::TooLarge { .. })) => S::PAYLOAD_TOO_LARGE,
            Error::Core(Core::Image(Image::UnsupportedType(_))) => S::UNSUPPORTED_MEDIA_TYPE,
            Error::Core(Core::Image(Image::Unprocessable(_))) => S::UNPROCESSABLE_ENTITY,
            Error::Busy | Error::Core(Core::Busy) => {
                return Self::new(S::SERVICE_UNAVAILABLE, "overloaded", error.to_string()).after(1);
            }
            // The report of the store goes to the operator's log; the client can only send the request again.
            Error::Unavailable(_) => {
                let detail = "Uploads and results cannot be accessed at the moment. Send the \
                              request again after the time in Retry-After.";
                let problem = Self::new(S::SERVICE_UNAVAILABLE, "store_unavailable", detail);
                return problem.after(5).caused_by(&error);
            }
            // The rest are failures of the service.
            Error::Core(
                Core::Image(Image::Io { .. })
                | Core::Model { .. }
                | Core::Inference(_)
                | Core::Interrupted
                | Core::Internal(_),
            )
            | Error::Evaluation(_)
            | Error::Internal(_) => return Self::internal().caused_by(&error),
        };
        let code = match &error {
            Error::Core(core) => core.code(),
            _ => "invalid_parameter",
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<ichor_core::Error> for Problem {
    fn from(error: ichor_core::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<ichor_image::Error> for Problem {
    fn from(error: ichor_image::Error) -> Self {
        Error::from(error).into()
    }
}
