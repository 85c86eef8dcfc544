//! The library, where it computes, and networks put into it.

use super::OrtEngine;
use super::graph::Network;
use super::reason::in_words;
use super::session::{BatchSession, said};
use crate::IoSpec;
use crate::{AgreementProbe, EngineFacts, Logits, OrtSettings, Precision, Provider};
use crate::{Error, Result};
use ort::environment::Environment;
use ort::ep;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use std::sync::{Arc, Mutex, PoisonError};

/// An open library.
#[derive(Debug)]
pub struct OrtRuntime {
    environment: Environment,
    settings: OrtSettings,
    version: String,
}

/// onnxruntime has one environment a process, which is kept for good: sessions may outlive whoever
/// opened it.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

impl OrtRuntime {
    /// Opens the library; the first one that a process opens is the one it keeps.
    ///
    /// # Errors
    /// [`Error::Settings`] where there is no such library, or an older one.
    pub fn open(settings: OrtSettings) -> Result<Self> {
        if settings.max_batch == Some(0) || settings.queue == 0 {
            return Err(Error::Settings("Batches and their queue hold at least one slice.".into()));
        }
        let mut kept = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = match kept.as_ref() {
            Some(environment) => environment.clone(),
            None => kept.insert(environment(&settings)?).clone(),
        };
        let version = version(ort::info(), &settings);
        Ok(Self { environment, settings, version })
    }

    /// Puts a network into the library: in batches and in half precision where the answers agree with
    /// those of the file as it is, on the card where there is one.
    pub(crate) fn load(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
        probe: &AgreementProbe<'_>,
    ) -> Result<OrtEngine> {
        let (mut plain, place, fallback) = self.plain(spec, onnx)?;
        let views: Vec<&[f32]> = probe.tensors.iter().map(Vec::as_slice).collect();
        let expected = one_by_one(&mut plain, &views)?;
        let mut notes: Vec<String> = fallback.into_iter().collect();
        for precision in self.precisions(place) {
            match self.faster(spec, onnx, place, precision, probe, &expected) {
                Ok(session) => {
                    return Ok(self.engine(session, place, precision, self.most(place), notes));
                }
                Err(why) => notes.push(why),
            }
        }
        Ok(self.engine(plain, place, "f32", 1, notes))
    }

    /// The network as it is, and why it is not on the card where one was looked for.
    fn plain(&self, spec: &IoSpec, onnx: &[u8]) -> Result<(BatchSession, Place, Option<String>)> {
        let fallback = match self.settings.provider {
            Provider::Cpu => None,
            wanted => match (self.session(spec, onnx, Place::Card), wanted) {
                (Ok(session), _) => return Ok((session, Place::Card, None)),
                (Err(reason), Provider::Cuda) => {
                    let reason = in_words(&reason);
                    return Err(Error::Network(format!("CUDA was asked for. {reason}")));
                }
                (Err(reason), _) => Some(format!("{} The CPU computes.", in_words(&reason))),
            },
        };
        let session = self.session(spec, onnx, Place::Cpu).map_err(|reason| {
            let remedy = "Export it again with training/export.py.";
            Error::Network(format!("the network cannot be loaded: {reason}. {remedy}"))
        })?;
        Ok((session, Place::Cpu, fallback))
    }

    fn engine(
        &self,
        session: BatchSession,
        place: Place,
        precision: &'static str,
        most: usize,
        notes: Vec<String>,
    ) -> OrtEngine {
        let facts = EngineFacts {
            name: "onnxruntime",
            version: Some(self.version.clone()),
            provider: match place {
                Place::Card => "cuda",
                Place::Cpu => "cpu",
            },
            device: (place == Place::Card).then_some(self.settings.device),
            precision,
            max_batch: most,
            fallback: (!notes.is_empty()).then(|| notes.join(" ")),
        };
        OrtEngine::start(session, facts, &self.settings)
    }

    fn most(&self, place: Place) -> usize {
        let usual = match place {
            Place::Card => 16,
            Place::Cpu => 4,
        };
        self.settings.max_batch.unwrap_or(usual)
    }

    /// Those to try, the fastest first.
    fn precisions(&self, place: Place) -> &'static [&'static str] {
        match (self.settings.precision, place) {
            (Precision::F16, _) | (Precision::Auto, Place::Card) => &["f16", "f32"],
            _ => &["f32"],
        }
    }

    /// The network for batches, in `precision`; or why it is not used.
    fn faster(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
        place: Place,
        precision: &str,
        probe: &AgreementProbe<'_>,
        expected: &[Logits],
    ) -> std::result::Result<BatchSession, String> {
        let network = Network::read(onnx).ok_or("The network cannot be changed for batches.")?;
        let freed = network.free_batch();
        let changed = if precision == "f16" { freed.halve() } else { freed };
        let refused = |what: &str| format!("Batches in {precision} are not used: {what}.");
        let mut session = self.session(spec, &changed.write(), place).map_err(|e| refused(&e))?;
        let phantoms: Vec<&[f32]> = probe.tensors.iter().map(Vec::as_slice).collect();
        let answers = session.run(&phantoms).map_err(|e| refused(&e.to_string()))?;
        if !(probe.agree)(expected, &answers, tolerance(precision)) {
            return Err(refused("their masks differ from those of single slices in f32"));
        }
        // Buffers and the search for convolutions belong to the start, not to the first who asks.
        if place == Place::Card {
            let full: Vec<&[f32]> =
                phantoms.iter().copied().cycle().take(self.most(place)).collect();
            for size in (0..).map(|power| 1 << power).take_while(|&size| size <= full.len()) {
                session.run(&full[..size]).map_err(|e| refused(&e.to_string()))?;
            }
        }
        Ok(session)
    }

    fn session(
        &self,
        spec: &IoSpec,
        onnx: &[u8],
        place: Place,
    ) -> std::result::Result<BatchSession, String> {
        let build = || -> ort::Result<Session> {
            let builder = Session::builder(&self.environment)?
                .with_log_level(LogLevel::Error)?
                .with_intra_threads(self.settings.threads)?;
            let mut builder: SessionBuilder = match place {
                Place::Cpu => builder,
                Place::Card => builder.with_execution_providers([self.card()])?,
            };
            builder.commit_from_memory(onnx)
        };
        let session = build().map_err(|error| said(&error))?;
        BatchSession::new(session, spec, place == Place::Card).map_err(str::to_owned)
    }

    fn card(&self) -> ep::ExecutionProviderDispatch {
        let mut cuda = ep::CUDA::default().with_device_id(self.settings.device);
        if let Some(bytes) = self.settings.device_bytes {
            cuda = cuda.with_memory_limit(bytes);
        }
        cuda.build().error_on_failure()
    }
}

/// Where a session computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Card,
    Cpu,
}

/// Most that a probability may differ, of a pixel or a class: sums in another order move the sixth
/// digit, half precision was seen to move 0.004 on the shipped models.
fn tolerance(precision: &str) -> f32 {
    if precision == "f16" { 8e-3 } else { 1e-3 }
}

fn environment(settings: &OrtSettings) -> Result<Environment> {
    let cannot = |why: String| {
        Error::Settings(format!(
            "onnxruntime cannot be opened: {why}. Give --onnxruntime (ICHOR_ONNXRUNTIME) the path of \
             libonnxruntime.so of version 1.17 or newer; the Python package onnxruntime holds one."
        ))
    };
    let opened = ort::init_from(&settings.library).map_err(|error| cannot(error.to_string()))?;
    opened
        .with_name("ichor")
        .with_telemetry(false)
        // What goes wrong is an error of ours, said once and in our words.
        .with_logger(Arc::new(|_: LogLevel, _: &str, _: &str, _: &str, _: &str| {}))
        .build()
        .map_err(|error| cannot(said(&error)))
}

/// The version: of the file's name where it ends in one, as packages name it, else of the build.
fn version(info: &str, settings: &OrtSettings) -> String {
    let name = settings.library.canonicalize().unwrap_or_else(|_| settings.library.clone());
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let of_file = name.split_once(".so.").map(|(_, version)| version.to_owned());
    let of_build =
        || info.split("git-branch=rel-").nth(1)?.split([',', ' ']).next().map(str::to_owned);
    of_file.or_else(of_build).unwrap_or_else(|| "unknown".into())
}

fn one_by_one(session: &mut BatchSession, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
    let mut all = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        all.extend(session.run(&[tensor])?);
    }
    Ok(all)
}
