//! The headers by which client and service agree on the form of a body: `Accept`, `Content-Type`, `ETag`.
//!
//! Media types are parsed by the crate `mime`, entity tags and lengths by `headers`.

mod accept;
mod content_type;
mod etag;

pub(super) use accept::{Answer, acceptable, acceptable_answers};
pub(super) use content_type::{BodyKind, is_json, same_type, upload_media_type};
pub(super) use etag::tagged;
pub(super) use headers::{ContentLength, HeaderMapExt};
