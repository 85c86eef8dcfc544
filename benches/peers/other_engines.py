"""The same ONNX files under other engines, with the protocol of `benches/probe.rs`: `network MODEL RUNS THREADS`.

python benches/peers/other_engines.py onnxruntime|openvino MODELS THREADS
"""

import json
import sys
from pathlib import Path

import numpy as np


def of_onnxruntime(path: Path, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads would add CPU time while they wait.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (name,) = (given.name for given in session.get_inputs())
    return lambda tensor: session.run(None, {name: tensor})


def of_openvino(path: Path, threads: int):
    import openvino

    # On CPUs with bfloat16 OpenVINO would use it by default, which changes the results.
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
    return lambda tensor: request.infer([tensor])


def main() -> None:
    engine, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    load = {"onnxruntime": of_onnxruntime, "openvino": of_openvino}[engine]
    networks = {}
    for spec in sorted(folder.glob("*/model.json")):
        shape = json.loads(spec.read_text())["input"]["shape"]
        tensor = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        networks[spec.parent.name] = load(spec.parent / "model.onnx", threads), tensor
    print("ready", flush=True)
    for line in sys.stdin:
        _, model, runs, _ = line.split()
        run, tensor = networks[model]
        for _ in range(int(runs)):
            run(tensor)
        print("done", flush=True)


if __name__ == "__main__":
    main()
