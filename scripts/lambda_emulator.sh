#!/usr/bin/env bash
# Installs AWS's Runtime Interface Emulator, which is part of the Python package aws-sam-cli.
. "$(dirname "$0")/cache.sh"

version=1.170.0
case "$(uname -m)" in
  x86_64) arch=x86_64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) die "AWS's emulator exists for x86_64 and arm64 only, this is $(uname -m)" ;;
esac
emulator="$ICHOR_CACHE/bin/aws-lambda-rie"
if stamped aws-lambda-rie "$version-$arch" && [ -x "$emulator" ]; then exit 0; fi

say "copying the Lambda emulator from aws-sam-cli"
"$ICHOR_CACHE/test-venv/bin/python" - "$arch" "$emulator" <<'PY' || die "aws-sam-cli is not in the test environment: run make test-venv"
import pathlib, shutil, sys
import samcli

arch, emulator = sys.argv[1:]
shutil.copy(pathlib.Path(samcli.__file__).parent / f"local/rapid/aws-lambda-rie-{arch}", emulator)
pathlib.Path(emulator).chmod(0o755)
PY
stamp aws-lambda-rie "$version-$arch"
