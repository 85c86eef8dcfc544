#!/usr/bin/env bash
# Installs onnxruntime with CUDA and cuDNN (about 3 GB), the same files as in the GPU image, and links them into
# $ICHOR_CACHE/cuda. For `make bench-gpu` on a machine with an NVIDIA GPU.
. "$(dirname "$0")/cache.sh"

requirements="$(dirname "$0")/../infra/gpu-requirements.txt"
key=$(sha256sum <"$requirements")
if stamped cuda "$key"; then exit 0; fi
command -v nvidia-smi >/dev/null || die "there is no NVIDIA driver here; PROVIDER=cpu runs the same on the CPU"
[ -x "$ICHOR_CACHE/cuda-venv/bin/pip" ] || python3 -m venv "$ICHOR_CACHE/cuda-venv"
"$ICHOR_CACHE/cuda-venv/bin/pip" install --quiet --no-deps --require-hashes --only-binary :all: -r "$requirements"
mkdir -p "$ICHOR_CACHE/cuda"
find "$ICHOR_CACHE"/cuda-venv/lib -name '*.so*' ! -name '*python*' -type f -exec ln -sf -t "$ICHOR_CACHE/cuda" {} +
ln -sf "$(find "$ICHOR_CACHE/cuda" -name 'libonnxruntime.so.*' -print -quit)" "$ICHOR_CACHE/cuda/libonnxruntime.so"
stamp cuda "$key"
