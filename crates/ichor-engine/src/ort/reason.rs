//! onnxruntime's reasons against a card, for people.

/// Why CUDA cannot be used, for people; onnxruntime's own words follow where they say more.
pub(super) fn in_words(said: &str) -> String {
    if let Some(library) = missing_library(said) {
        return match library.starts_with("libcuda.so") {
            // It comes with the driver, and into a container by `--gpus all`.
            true => format!("There is no NVIDIA driver here: {library} is missing."),
            false => format!("A library of CUDA or cuDNN is missing: {library}."),
        };
    }
    let lower = said.to_ascii_lowercase();
    let known = [
        (
            ["not enabled in this build", "not compiled with", "unknown provider"],
            "This onnxruntime was built without CUDA.",
        ),
        (["no cuda-capable device", "cuda failure 100", "no device"], "There is no NVIDIA card."),
        (
            ["driver version is insufficient", "cuda failure 35", "driver/library version"],
            "The NVIDIA driver is older than this CUDA needs.",
        ),
        (
            ["out of memory", "cuda failure 2:", "bad_alloc"],
            "The memory of the NVIDIA card is not enough.",
        ),
    ];
    let words = known.iter().find(|(signs, _)| signs.iter().any(|sign| lower.contains(sign)));
    match words {
        Some((_, words)) => (*words).to_owned(),
        None => format!("CUDA could not be started; onnxruntime says: {said}."),
    }
}

/// The name in "NAME: cannot open shared object file".
fn missing_library(said: &str) -> Option<&str> {
    let (before, _) = said.split_once(": cannot open shared object")?;
    before.rsplit([' ', ':']).next().filter(|name| name.starts_with("lib"))
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn reasons_against_the_card_are_said_for_people() {
        let cases = [
            ("CUDA execution provider is not enabled in this build. ", "built without CUDA"),
            (
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file",
                "cuDNN is missing: libcublasLt.so.13",
            ),
            (
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object file",
                "no NVIDIA driver",
            ),
            ("CUDA failure 100: no CUDA-capable device is detected", "no NVIDIA card"),
            (
                "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
                "driver",
            ),
            ("something else", "onnxruntime says: something else"),
        ];
        for (said, expected) in cases {
            assert!(in_words(said).contains(expected), "{said}");
        }
    }
}
