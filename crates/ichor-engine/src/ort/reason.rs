//! Explains error messages of onnxruntime about CUDA in terms that a user knows.

/// Explains why CUDA cannot be used. The message of onnxruntime is quoted if its cause is not recognized.
pub(super) fn explain(message: &str) -> String {
    if let Some(library) = missing_library(message) {
        return match library.starts_with("libcuda.so") {
            // The driver provides it; `--gpus all` mounts it into a container.
            true => format!("No NVIDIA driver is installed: {library} is missing."),
            false => format!("A library of CUDA or cuDNN is missing: {library}."),
        };
    }
    let lower = message.to_ascii_lowercase();
    let causes = [
        (
            ["not enabled in this build", "not compiled with", "unknown provider"],
            "This onnxruntime was built without CUDA.",
        ),
        (["no cuda-capable device", "cuda failure 100", "no device"], "There is no NVIDIA GPU."),
        (
            ["driver version is insufficient", "cuda failure 35", "driver/library version"],
            "The NVIDIA driver is too old for this version of CUDA.",
        ),
        (
            ["out of memory", "cuda failure 2:", "bad_alloc"],
            "The NVIDIA GPU does not have enough memory.",
        ),
    ];
    let cause = causes.iter().find(|(phrases, _)| phrases.iter().any(|p| lower.contains(p)));
    match cause {
        Some((_, explanation)) => (*explanation).to_owned(),
        None => format!("CUDA could not be started. onnxruntime reports: {message}."),
    }
}

/// The library in "LIBRARY: cannot open shared object file".
fn missing_library(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(": cannot open shared object")?;
    before.rsplit([' ', ':']).next().filter(|name| name.starts_with("lib"))
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn messages_about_cuda_are_explained() {
        let cases = [
            ("CUDA execution provider is not enabled in this build. ", "built without CUDA"),
            (
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file",
                "cuDNN is missing: libcublasLt.so.13",
            ),
            (
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object file",
                "No NVIDIA driver",
            ),
            ("CUDA failure 100: no CUDA-capable device is detected", "no NVIDIA GPU"),
            (
                "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
                "driver",
            ),
            ("something else", "onnxruntime reports: something else"),
        ];
        for (message, expected) in cases {
            assert!(explain(message).contains(expected), "{message}");
        }
    }
}
