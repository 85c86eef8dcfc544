"""Runs the API function without containers: `cargo lambda watch`, which rebuilds it when the code changes, and an S3
server that holds the models. Both listen on loopback, with credentials of this run only. Ctrl-C ends them.

Started by `make lambda-watch`; further options are passed to `cargo lambda watch`.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from conftest import BINARIES, CACHE
from foreground import STOP_SECONDS, ending_with_its_children, port_or_free, show_request
from loopback import LOOPBACK, bare_environment, running
from s3_server import BUCKET, JOBS_BUCKET, s3_server

ROOT = Path(__file__).resolve().parents[2]
TOOLS = CACHE / "cargo-lambda-venv" / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, help="port of the API; 9000, or another if that is taken")
    args, options = parser.parse_known_args()
    port = args.port or port_or_free(9000)
    # The features of `make lambda`, so that its compiled dependencies are used again.
    command = ["cargo", "lambda", "watch", "--invoke-address", LOOPBACK, "--invoke-port", str(port), "--disable-cors"]
    command += ["--release", "--locked", "--no-default-features", "--features", "lambda"]
    command += ["--bin", BINARIES["BINARY_API"], *options]
    with ExitStack() as stack:
        stack.enter_context(ending_with_its_children())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        s3 = stack.enter_context(s3_server(CACHE / "bin" / "s3s-fs", Path(folder)))
        names = s3.upload_models(ROOT / "models")
        # The function gets none of the AWS settings of this machine.
        settings = {"ICHOR_BUCKET": BUCKET, "ICHOR_MODELS": ",".join(names), "ICHOR_JOBS_BUCKET": JOBS_BUCKET}
        path = {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
        environment = bare_environment() | s3.environment() | settings | path
        # In a separate process group, so that Ctrl-C reaches it once, through this program.
        watch = stack.enter_context(
            running(command, port, None, stop_seconds=STOP_SECONDS, env=environment, cwd=ROOT, process_group=0)
        )
        show_request(port)
        print("The first request waits until the function is built.", flush=True)
        return watch.wait()


if __name__ == "__main__":
    sys.exit(main())
