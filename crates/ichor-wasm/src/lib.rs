//! Ichor as one WebAssembly module: files in, the report and the output files out, without a server.
//!
//! [`Session`] is the whole of it: it holds the models and the last analysis, and answers one [`Session::call`] at a
//! time. A call is a JSON request with byte buffers; its reply is JSON with byte buffers. The functions that the module
//! exports (`src/exports.rs`, only on WebAssembly) move these buffers and do nothing else, so that the tests of this
//! crate run on any machine.
//!
//! ```
//! use ichor_core::segmenter::NoObserver;
//! use ichor_wasm::Session;
//!
//! let mut session = Session::default();
//! let reply = session.call(br#"{"operation": "describe"}"#, Vec::new(), &NoObserver).unwrap();
//! assert!(String::from_utf8(reply.json).unwrap().contains("\"version\""));
//!
//! // Without a model there is nothing to segment with. The error says so; nothing panics.
//! let problem = session.call(br#"{"operation": "segment"}"#, Vec::new(), &NoObserver).unwrap_err();
//! assert_eq!(problem.code, "model_not_found");
//! ```

#[cfg(target_family = "wasm")]
mod exports;
mod operation;
mod session;

pub use session::{Problem, Reply, Session};
