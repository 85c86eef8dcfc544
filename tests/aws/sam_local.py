"""Runs `sam local start-api` and an S3 server that holds the models. Started by infra/sam_local.sh; Ctrl-C ends it.

The functions run in containers, whose loopback is not that of this machine. The S3 server therefore listens on the
address of this machine in the network of the containers, which other machines do not reach.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import CACHE
from foreground import STOP_SECONDS, ending_with_its_children, port_or_free, show_request
from loopback import LOOPBACK, running
from s3_server import BUCKET, JOBS_BUCKET, S3Server, s3_server
from test_deployment import deployable

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra"))
from deploy import FUNCTIONS, with_binaries  # noqa: E402

DOCKER = os.environ.get("ICHOR_DOCKER", "docker")


def docker(*command: str) -> str:
    return subprocess.run([DOCKER, *command], capture_output=True, text=True, check=True).stdout.strip()


def address_for_containers() -> str:
    """The address of this machine in the default network of the container engine."""
    address = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    try:
        with socket.socket() as probe:
            probe.bind((address, 0))
    except OSError:
        sys.exit(
            f"error: the containers' host has {address or 'no address'}, which is not an address of this machine: the "
            "container engine runs elsewhere. Start one on this machine (dockerd as root), or use make lambda-watch"
        )
    return address


def packed(folder: Path) -> Path:
    """Copies the binaries of `make lambda` into a folder of this run, which identifies its containers."""
    for name in FUNCTIONS.values():
        (folder / name).mkdir(parents=True)
        shutil.copy(CACHE / "lambda" / name / "bootstrap", folder / name)
    return folder


def remove_containers(functions: Path) -> None:
    """Removes the remaining containers of this run, in case `sam` was killed before it could."""
    for name in FUNCTIONS.values():
        left = docker("ps", "--all", "--quiet", "--filter", f"volume={functions / name}").split()
        if left:
            docker("rm", "--force", *left)


def command(folder: Path, functions: Path, s3: S3Server, port: int, options: list[str]) -> list[str]:
    template = folder / "template.json"
    template.write_text(json.dumps(with_binaries(deployable(ROOT, s3.endpoint), functions)))
    variables = {"ICHOR_BUCKET": BUCKET, "ICHOR_JOBS_BUCKET": JOBS_BUCKET}
    (folder / "variables.json").write_text(json.dumps({"Parameters": variables}))
    sam = [str(Path(sys.executable).parent / "sam"), "local", "start-api", "--host", LOOPBACK, "--port", str(port)]
    sam += ["--template", str(template), "--env-vars", str(folder / "variables.json")]
    # One container for all requests, so that the models are loaded once.
    return [*sam, "--warm-containers", "LAZY", *options]


def environment(s3: S3Server) -> dict[str, str]:
    """The environment of `sam`, which passes its credentials and region to the functions: those of the S3 server."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    account = s3.environment()
    return inherited | account | {"AWS_DEFAULT_REGION": account["AWS_REGION"], "SAM_CLI_TELEMETRY": "0"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, help="port of the API; 3000, or another if that is taken")
    args, options = parser.parse_known_args()
    port = args.port or port_or_free(3000)
    with ending_with_its_children(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with s3_server(CACHE / "bin" / "s3s-fs", folder, address_for_containers()) as s3:
            s3.upload_models(ROOT / "models")
            functions = packed(folder / "functions")
            start = command(folder, functions, s3, port, options)
            # In a separate process group: Ctrl-C reaches `sam` once, through this program.
            options_of_sam: dict = {"env": environment(s3), "process_group": 0}
            try:
                with running(start, port, None, start_seconds=300, stop_seconds=STOP_SECONDS, **options_of_sam) as sam:
                    show_request(port)
                    return sam.wait()
            finally:
                remove_containers(functions)


if __name__ == "__main__":
    sys.exit(main())
