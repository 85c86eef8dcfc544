//! A network that is loaded when it is first used.

use super::Engine;
use crate::IoSpec;
use crate::{Error, Result};
use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};

/// An [`Engine`], or the bytes of an ONNX file from which the first use makes one.
#[derive(Debug)]
pub struct DeferredEngine {
    /// The file, until the engine is made from it.
    onnx: Mutex<Option<Cow<'static, [u8]>>>,
    engine: OnceLock<Result<Engine>>,
}

impl DeferredEngine {
    /// Wraps an engine that is loaded already.
    pub fn built(engine: Engine) -> Self {
        Self { onnx: Mutex::new(None), engine: OnceLock::from(Ok(engine)) }
    }

    /// Keeps the bytes of an ONNX file until [`DeferredEngine::get`] is first called.
    pub fn waiting(onnx: Cow<'static, [u8]>) -> Self {
        Self { onnx: Mutex::new(Some(onnx)), engine: OnceLock::new() }
    }

    /// The engine, if it is loaded. Does not block.
    pub fn if_built(&self) -> Option<&Engine> {
        self.engine.get()?.as_ref().ok()
    }

    /// The engine, loaded with `spec` by the first call; concurrent calls block until it is complete.
    ///
    /// # Errors
    /// The error of [`Engine::load`]. It is kept, and each later call returns it again.
    pub fn get(&self, spec: &IoSpec) -> Result<&Engine> {
        let load = || {
            let onnx = self.onnx.lock().unwrap_or_else(PoisonError::into_inner).take();
            Engine::load(spec, &onnx.unwrap_or_default(), &|_| ())
        };
        self.engine.get_or_init(load).as_ref().map_err(Error::clone)
    }
}
