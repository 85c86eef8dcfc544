"""`cargo lambda watch` beside an S3 server that holds the models: the API function without containers, built again when
the code changes. Everything is on loopback, with credentials made up for this run. Ends with Ctrl-C.

Started by `make lambda-watch`; further options go to `cargo lambda watch`.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from conftest import BINARIES, CACHE
from foreground import STOP_SECONDS, ending_with_its_children, port_or_free, show_request
from loopback import LOOPBACK, bare_environment, running
from s3_server import BUCKET, JOBS_BUCKET, s3_server

ROOT = Path(__file__).resolve().parents[2]
TOOLS = CACHE / "cargo-lambda-venv" / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, help="of the API; 9000, or another that is free")
    args, options = parser.parse_known_args()
    port = args.port or port_or_free(9000)
    # The features of `make lambda`, whose compiled dependencies serve here too.
    command = ["cargo", "lambda", "watch", "--invoke-address", LOOPBACK, "--invoke-port", str(port), "--disable-cors"]
    command += ["--release", "--locked", "--no-default-features", "--features", "lambda"]
    command += ["--bin", BINARIES["BINARY_API"], *options]
    with ending_with_its_children(), tempfile.TemporaryDirectory() as folder:
        with s3_server(CACHE / "bin" / "s3s-fs", Path(folder)) as s3:
            names = s3.upload_models(ROOT / "models")
            # Nothing of the user's own AWS settings reaches the function.
            inherited = bare_environment()
            settings = {"ICHOR_BUCKET": BUCKET, "ICHOR_MODELS": ",".join(names), "ICHOR_JOBS_BUCKET": JOBS_BUCKET}
            path = {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
            environment = inherited | s3.environment() | settings | path
            # A process group of its own: Ctrl-C comes to it once, by this program.
            with running(
                command, port, None, stop_seconds=STOP_SECONDS, env=environment, cwd=ROOT, process_group=0
            ) as watch:
                show_request(port)
                print("The first request waits until the function is built.", flush=True)
                return watch.wait()


if __name__ == "__main__":
    sys.exit(main())
