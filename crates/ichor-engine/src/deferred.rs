//! A network that is built when it is first run.

use super::Engine;
use crate::IoSpec;
use crate::{Error, Result};
use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The bytes of a network until it is asked for, then the network.
#[derive(Debug)]
pub struct DeferredEngine {
    onnx: Mutex<Option<Cow<'static, [u8]>>>,
    built: OnceLock<Result<Engine>>,
}

impl DeferredEngine {
    /// One that is built already.
    pub fn built(engine: Engine) -> Self {
        Self { onnx: Mutex::new(None), built: OnceLock::from(Ok(engine)) }
    }

    /// One that waits.
    pub fn waiting(onnx: Cow<'static, [u8]>) -> Self {
        Self { onnx: Mutex::new(Some(onnx)), built: OnceLock::new() }
    }

    /// The network, where it is built already.
    pub fn if_built(&self) -> Option<&Engine> {
        self.built.get()?.as_ref().ok()
    }

    /// The network of `spec`, built by the first caller while others wait.
    ///
    /// # Errors
    /// As [`Engine::load`] if it cannot be built, now and ever after.
    pub fn get(&self, spec: &IoSpec) -> Result<&Engine> {
        let build = || {
            let onnx = self.onnx.lock().unwrap_or_else(PoisonError::into_inner).take();
            Engine::load(spec, &onnx.unwrap_or_default(), &|_| ())
        };
        self.built.get_or_init(build).as_ref().map_err(Error::clone)
    }
}
