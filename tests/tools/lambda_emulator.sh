#!/usr/bin/env bash
# AWS's Runtime Interface Emulator. AWS ships it inside its aws-sam-cli wheel, so one file is taken out
# of that wheel; the rest of the CLI is not installed.
. "$(dirname "$0")/cache.sh"

version=1.170.0
case "$(uname -m)" in
  x86_64) arch=x86_64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) die "AWS's emulator exists for x86_64 and arm64 only, this is $(uname -m)" ;;
esac
emulator="$ICHOR_CACHE/bin/aws-lambda-rie"
if stamped aws-lambda-rie "$version-$arch" && [ -x "$emulator" ]; then exit 0; fi

say "taking the Lambda emulator out of aws-sam-cli $version"
download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
# pip of the tests' environment: Debian's own python3 comes without one.
"$ICHOR_CACHE/test-venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --dest "$download" "aws-sam-cli==$version" ||
  die "could not download aws-sam-cli $version"
python3 - "$download" "samcli/local/rapid/aws-lambda-rie-$arch" "$emulator" <<'PY'
import pathlib, sys, zipfile

folder, member, emulator = sys.argv[1:]
(wheel,) = pathlib.Path(folder).glob("*.whl")
target = pathlib.Path(emulator)
target.write_bytes(zipfile.ZipFile(wheel).read(member))
target.chmod(0o755)
PY
stamp aws-lambda-rie "$version-$arch"
