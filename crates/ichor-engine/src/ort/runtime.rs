//! Opens the library of onnxruntime and loads networks into it.

use super::OrtEngine;
use super::graph::Network;
use super::reason::explain;
use super::session::{BatchSession, first_line};
use crate::IoSpec;
use crate::{AgreementProbe, EngineFacts, Logits, OrtSettings, Precision, Provider};
use crate::{Error, Result};
use ort::environment::Environment;
use ort::ep;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use std::sync::{Arc, Mutex, PoisonError};

/// The opened library, with the settings for its networks.
#[derive(Debug)]
pub struct OrtRuntime {
    environment: Environment,
    settings: OrtSettings,
    version: String,
}

/// The environment of onnxruntime. There is one per process, and it is never released, because sessions may outlive the
/// [`OrtRuntime`] that opened it.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

impl OrtRuntime {
    /// Opens the library at [`OrtSettings::library`]. If the process has opened a library before, that one is used.
    ///
    /// # Errors
    /// [`Error::Settings`] if the library is missing or too old, or a batch or queue size is 0.
    pub fn open(settings: OrtSettings) -> Result<Self> {
        if settings.max_batch == Some(0) || settings.queue == 0 {
            return Err(Error::Settings(
                "The batch size and the length of its queue must be at least 1.".into(),
            ));
        }
        let mut shared = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = match shared.as_ref() {
            Some(environment) => environment.clone(),
            None => shared.insert(open_environment(&settings)?).clone(),
        };
        let version = library_version(ort::info(), &settings);
        Ok(Self { environment, settings, version })
    }

    /// Loads a network: on the GPU if the settings allow it and there is one; with batches and in half precision if the
    /// results pass `probe` against those of the original file.
    ///
    /// # Errors
    /// [`Error::Network`] if the network cannot be loaded or a required GPU cannot be used; [`Error::Run`] if the
    /// original network fails on a probe tensor.
    pub(crate) fn load(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
        probe: &AgreementProbe<'_>,
    ) -> Result<OrtEngine> {
        let (mut original, device, fallback) = self.load_original(spec, onnx)?;
        let tensors: Vec<&[f32]> = probe.tensors.iter().map(Vec::as_slice).collect();
        let expected = run_singly(&mut original, &tensors)?;
        let mut notes: Vec<String> = fallback.into_iter().collect();
        for precision in self.precisions(device) {
            match self.load_batched(spec, onnx, device, precision, probe, &expected) {
                Ok(session) => {
                    return Ok(self.engine(
                        session,
                        device,
                        precision,
                        self.max_batch(device),
                        notes,
                    ));
                }
                Err(reason) => notes.push(reason),
            }
        }
        Ok(self.engine(original, device, "f32", 1, notes))
    }

    /// Loads the original network. Returns its session, its device, and the reason if a GPU was tried and is not used.
    fn load_original(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
    ) -> Result<(BatchSession, Device, Option<String>)> {
        let fallback = match self.settings.provider {
            Provider::Cpu => None,
            requested => match (self.session(spec, onnx, Device::Gpu), requested) {
                (Ok(session), _) => return Ok((session, Device::Gpu, None)),
                (Err(reason), Provider::Cuda) => {
                    let reason = explain(&reason);
                    return Err(Error::Network(format!("CUDA was asked for. {reason}")));
                }
                (Err(reason), _) => Some(format!("{} The CPU computes.", explain(&reason))),
            },
        };
        let session = self.session(spec, onnx, Device::Cpu).map_err(|reason| {
            let remedy = "Export it again with training/export.py.";
            Error::Network(format!("the network cannot be loaded: {reason}. {remedy}"))
        })?;
        Ok((session, Device::Cpu, fallback))
    }

    fn engine(
        &self,
        session: BatchSession,
        device: Device,
        precision: &'static str,
        max_batch: usize,
        notes: Vec<String>,
    ) -> OrtEngine {
        let facts = EngineFacts {
            name: "onnxruntime",
            version: Some(self.version.clone()),
            provider: match device {
                Device::Gpu => "cuda",
                Device::Cpu => "cpu",
            },
            device: (device == Device::Gpu).then_some(self.settings.device),
            precision,
            max_batch,
            fallback: (!notes.is_empty()).then(|| notes.join(" ")),
        };
        OrtEngine::new(session, facts, &self.settings)
    }

    fn max_batch(&self, device: Device) -> usize {
        let default = match device {
            Device::Gpu => 16,
            Device::Cpu => 4,
        };
        self.settings.max_batch.unwrap_or(default)
    }

    /// The precisions to try, the fastest first.
    fn precisions(&self, device: Device) -> &'static [&'static str] {
        match (self.settings.precision, device) {
            (Precision::F16, _) | (Precision::Auto, Device::Gpu) => &["f16", "f32"],
            _ => &["f32"],
        }
    }

    /// Loads the network with batches in `precision`.
    ///
    /// # Errors
    /// The reason why this variant is not used, as a sentence.
    fn load_batched(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
        device: Device,
        precision: &str,
        probe: &AgreementProbe<'_>,
        expected: &[Logits],
    ) -> std::result::Result<BatchSession, String> {
        let network =
            Network::from_bytes(onnx).ok_or("The network cannot be rewritten for batches.")?;
        let batched = network.with_symbolic_batch();
        let network = if precision == "f16" { batched.into_half_precision() } else { batched };
        let not_used = |reason: &str| format!("Batches in {precision} are not used: {reason}.");
        let mut session =
            self.session(spec, &network.to_bytes(), device).map_err(|e| not_used(&e))?;
        let tensors: Vec<&[f32]> = probe.tensors.iter().map(Vec::as_slice).collect();
        let actual = session.run(&tensors).map_err(|e| not_used(&e.to_string()))?;
        if !(probe.agree)(expected, &actual, tolerance(precision)) {
            return Err(not_used("their masks differ from those of single slices in f32"));
        }
        // Allocates the buffers and searches the convolution algorithms now, so that the first request is not slower.
        if device == Device::Gpu {
            let full: Vec<&[f32]> =
                tensors.iter().copied().cycle().take(self.max_batch(device)).collect();
            for size in (0..).map(|power| 1 << power).take_while(|&size| size <= full.len()) {
                session.run(&full[..size]).map_err(|e| not_used(&e.to_string()))?;
            }
        }
        Ok(session)
    }

    fn session(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
        device: Device,
    ) -> std::result::Result<BatchSession, String> {
        let build = || -> ort::Result<Session> {
            let builder = Session::builder(&self.environment)?
                .with_log_level(LogLevel::Error)?
                .with_intra_threads(self.settings.threads)?;
            let mut builder: SessionBuilder = match device {
                Device::Cpu => builder,
                Device::Gpu => builder.with_execution_providers([self.cuda()])?,
            };
            builder.commit_from_memory(onnx)
        };
        let session = build().map_err(|error| first_line(&error))?;
        BatchSession::new(session, spec, device == Device::Gpu).map_err(str::to_owned)
    }

    fn cuda(&self) -> ep::ExecutionProviderDispatch {
        let mut cuda = ep::CUDA::default().with_device_id(self.settings.device);
        if let Some(bytes) = self.settings.device_bytes {
            cuda = cuda.with_memory_limit(bytes);
        }
        cuda.build().error_on_failure()
    }
}

/// The device of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Device {
    Gpu,
    Cpu,
}

/// Largest allowed difference of a probability, of a pixel or a class. Single precision differs by the order of sums,
/// in the sixth digit; half precision by up to 0.004 on the shipped models.
fn tolerance(precision: &str) -> f32 {
    if precision == "f16" { 8e-3 } else { 1e-3 }
}

fn open_environment(settings: &OrtSettings) -> Result<Environment> {
    let cannot_open = |reason: String| {
        Error::Settings(format!(
            "onnxruntime cannot be opened: {reason}. Give --onnxruntime (ICHOR_ONNXRUNTIME) the path of \
             libonnxruntime.so of version 1.17 or newer; the Python package onnxruntime holds one."
        ))
    };
    let opened =
        ort::init_from(&settings.library).map_err(|error| cannot_open(error.to_string()))?;
    opened
        .with_name("ichor")
        .with_telemetry(false)
        // Errors are returned to the caller, so onnxruntime does not log them as well.
        .with_logger(Arc::new(|_: LogLevel, _: &str, _: &str, _: &str, _: &str| {}))
        .build()
        .map_err(|error| cannot_open(first_line(&error)))
}

/// The version from the file name if it contains one (`libonnxruntime.so.1.17.0`), else from the build information.
fn library_version(info: &str, settings: &OrtSettings) -> String {
    let name = settings.library.canonicalize().unwrap_or_else(|_| settings.library.clone());
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let from_name = name.split_once(".so.").map(|(_, version)| version.to_owned());
    let from_build =
        || info.split("git-branch=rel-").nth(1)?.split([',', ' ']).next().map(str::to_owned);
    from_name.or_else(from_build).unwrap_or_else(|| "unknown".into())
}

/// Runs each tensor as a batch of one.
fn run_singly(session: &mut BatchSession, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
    let mut all = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        all.extend(session.run(&[tensor])?);
    }
    Ok(all)
}
