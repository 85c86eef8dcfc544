#!/usr/bin/env bash
# Installs the library of onnxruntime from its Python package, in the release of the GPU image, and links it as
# $ICHOR_CACHE/lib/libonnxruntime.so. The tests run it on the CPU.
. "$(dirname "$0")/cache.sh"

"$(dirname "$0")/python_env.sh" onnxruntime-venv scripts/onnxruntime-requirements.txt
shopt -s nullglob
found=("$ICHOR_CACHE"/onnxruntime-venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*)
[ ${#found[@]} -ge 1 ] || die "the package onnxruntime holds no library; remove $ICHOR_CACHE/onnxruntime-venv and run make again"
mkdir -p "$ICHOR_CACHE/lib"
ln -sfn "${found[0]}" "$ICHOR_CACHE/lib/libonnxruntime.so"
