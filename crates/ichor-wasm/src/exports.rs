//! The functions that the module exports and imports. They move buffers; what a request does is in [`Session`].
//!
//! # How the host calls
//! 1. `ichor_add_buffer(length)` for the JSON request, then once for each byte buffer. It returns an address, to which
//!    the host copies the bytes.
//! 2. `ichor_call()` takes all added buffers. It returns 0 for a reply and 1 for a problem.
//! 3. `ichor_reply_address(index)` and `ichor_reply_length(index)` of the reply: JSON at 0, a file at 1 (length 0 without
//!    one). They are valid until the next `ichor_add_buffer` or `ichor_call`.
//!
//! # Reasons for the exception from the lint `unsafe_code`
//! A function is exported under its name with `#[unsafe(no_mangle)]`, and functions of the host are declared in an
//! `unsafe extern` block. Both are unsafe because the linker trusts names and types. No exported function takes an
//! address, and this module reads and writes through no pointer: addresses are only returned.

#![allow(unsafe_code)]

use crate::session::{Problem, Reply, Session};
use ichor_core::segmenter::Observer;
use std::cell::RefCell;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

// SAFETY: the host provides functions of these types, as crates/ichor-wasm/README.md says; without them the module
// cannot be instantiated.
#[link(wasm_import_module = "ichor")]
unsafe extern "C" {
    /// Time since any fixed moment, ms.
    safe fn now_ms() -> f64;
    /// 32 random bits of a cryptographic source.
    safe fn random_bits() -> u32;
    /// `done` of `total` slices are segmented; 0 when the input is decoded.
    safe fn on_progress(done: u32, total: u32);
    /// The module is about to stop for good: the text of the panic, UTF-8.
    safe fn on_panic(address: usize, length: usize);
}

#[derive(Default)]
struct State {
    session: Session,
    added: Vec<Vec<u8>>,
    reply: Vec<Vec<u8>>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// The clock and the progress bar of the host.
struct HostObserver {
    done: AtomicU32,
    total: AtomicU32,
    started_ms: f64,
}

impl Observer for HostObserver {
    fn elapsed_ms(&self) -> f64 {
        now_ms() - self.started_ms
    }

    fn on_decoded(&self, slices: usize) {
        self.total.store(slices as u32, Ordering::Relaxed);
        on_progress(0, slices as u32);
    }

    fn on_slice(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        on_progress(done, self.total.load(Ordering::Relaxed));
    }
}

fn prepare() {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let text = panic.to_string();
            on_panic(text.as_ptr() as usize, text.len());
        }));
        ichor_formats::export::set_random_source(|| {
            (0..4).fold(0, |bits: u128, _| (bits << 32) | u128::from(random_bits()))
        });
    });
}

/// Adds a buffer of `length` zeros to the next call and returns its address.
// SAFETY: the only function of this name.
#[unsafe(no_mangle)]
extern "C" fn ichor_add_buffer(length: usize) -> usize {
    STATE.with_borrow_mut(|state| {
        state.reply.clear();
        let mut buffer = vec![0_u8; length];
        let address = buffer.as_mut_ptr() as usize;
        // Moving the vector leaves its bytes where they are.
        state.added.push(buffer);
        address
    })
}

/// Calls [`Session::call`] with the added buffers. Returns 0 for a reply, 1 for a [`Problem`].
// SAFETY: the only function of this name.
#[unsafe(no_mangle)]
extern "C" fn ichor_call() -> u32 {
    prepare();
    STATE.with_borrow_mut(|state| {
        state.reply.clear();
        let mut buffers = std::mem::take(&mut state.added);
        let request = if buffers.is_empty() { Vec::new() } else { buffers.remove(0) };
        let observer = HostObserver {
            done: AtomicU32::new(0),
            total: AtomicU32::new(0),
            started_ms: now_ms(),
        };
        match state.session.call(&request, buffers, &observer) {
            Ok(Reply { json, file }) => {
                state.reply = [Some(json), file].into_iter().flatten().collect();
                0
            }
            Err(problem) => {
                state.reply = vec![problem_json(&problem)];
                1
            }
        }
    })
}

fn problem_json(problem: &Problem) -> Vec<u8> {
    serde_json::to_vec(problem).unwrap_or_default()
}

/// Address of a buffer of the reply: 0 is the JSON, 1 the file.
// SAFETY: the only function of this name.
#[unsafe(no_mangle)]
extern "C" fn ichor_reply_address(index: usize) -> usize {
    STATE.with_borrow(|state| state.reply.get(index).map_or(0, |bytes| bytes.as_ptr() as usize))
}

/// Length of a buffer of the reply, bytes; 0 where there is none.
// SAFETY: the only function of this name.
#[unsafe(no_mangle)]
extern "C" fn ichor_reply_length(index: usize) -> usize {
    STATE.with_borrow(|state| state.reply.get(index).map_or(0, Vec::len))
}
