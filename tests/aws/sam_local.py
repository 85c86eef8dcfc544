"""`sam local start-api` beside an S3 server that holds the models; ends with Ctrl-C. Started by infra/sam_local.sh."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import CACHE
from s3_server import BUCKET, JOBS_BUCKET, s3_server
from test_deployment import deployable

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra"))
from deploy import with_binaries  # noqa: E402


def main() -> int:
    with tempfile.TemporaryDirectory() as name, s3_server(CACHE / "bin" / "s3s-fs", Path(name)) as s3:
        folder = Path(name)
        s3.upload_models(ROOT / "models")
        template = folder / "template.json"
        template.write_text(json.dumps(with_binaries(deployable(ROOT, s3.endpoint), CACHE / "lambda")))
        variables = s3.environment() | {"ICHOR_BUCKET": BUCKET, "ICHOR_JOBS_BUCKET": JOBS_BUCKET}
        (folder / "variables.json").write_text(json.dumps({"Parameters": variables}))
        command = [str(Path(sys.executable).parent / "sam"), "local", "start-api", "--host", "127.0.0.1"]
        command += ["--template", str(template), "--env-vars", str(folder / "variables.json")]
        # The container reaches the S3 server on the machine's own loopback.
        command += ["--docker-network", "host", *sys.argv[1:]]
        return subprocess.run(command, env=os.environ | {"SAM_CLI_TELEMETRY": "0"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
