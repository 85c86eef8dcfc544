//! Random UUIDs, from which the UIDs of DICOM objects are made.

/// A new random UUID (RFC 9562, version 4).
#[cfg(not(target_family = "wasm"))]
pub(in crate::export) fn uuid() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}

#[cfg(target_family = "wasm")]
pub use host::set_random_source;
#[cfg(target_family = "wasm")]
pub(in crate::export) use host::uuid;

/// WebAssembly has no random numbers of its own; the program that runs the module provides them.
#[cfg(target_family = "wasm")]
mod host {
    use std::sync::OnceLock;

    static SOURCE: OnceLock<fn() -> u128> = OnceLock::new();

    /// Sets the function that returns 128 random bits. The first call decides.
    pub fn set_random_source(source: fn() -> u128) {
        let _ = SOURCE.set(source);
    }

    /// # Panics
    /// Without a source: UIDs that are not unique would make other programs mix up objects.
    #[expect(clippy::panic, reason = "a program without a source is wrong from its first line on")]
    pub(in crate::export) fn uuid() -> u128 {
        let Some(source) = SOURCE.get() else { panic!("set_random_source was not called") };
        // Version 4 and variant 1 in the fixed bits.
        (source() & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62)
    }
}
