//! onnxruntime's reasons against a card, for people.

/// Why CUDA cannot be used, for people; onnxruntime's own words follow where they say more.
pub(super) fn in_words(said: &str) -> String {
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
            ["cannot open shared object", "libcu", "libcudnn"],
            "A library of CUDA or cuDNN is missing.",
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

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn reasons_against_the_card_are_said_for_people() {
        let cases = [
            ("CUDA execution provider is not enabled in this build. ", "built without CUDA"),
            (
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file",
                "missing",
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
