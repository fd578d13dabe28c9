"""nginx, twice: as the upstream that returns a fixed completion, and as the plain reverse proxy to compare with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.machine import GATEWAY_CORE, LOAD_CORE, start_pinned

UPSTREAM_PORT = 18081
PROXY_PORT = 18082

COMPLETION = json.dumps(
    {
        "id": "chatcmpl-benchmark0123456789abcdef",
        "object": "chat.completion",
        "created": 1763870000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "A fixed answer of a usual length. " * 5,
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 512,
            "completion_tokens": 42,
            "total_tokens": 554,
            "prompt_tokens_details": {"cached_tokens": 128, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }
)

_COMMON = """
daemon off; master_process off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}.err;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/{name}-body; proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000000; keepalive_timeout 600s;
  {rest}
}}
"""
_UPSTREAM = """
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    default_type application/json;
    add_header x-request-id req_0123456789; add_header openai-processing-ms 412;
    add_header openai-version 2020-10-01;
    add_header x-ratelimit-limit-requests 10000; add_header x-ratelimit-remaining-requests 9999;
    location = /v1/failing {{ return 503 '{{"error":{{"message":"overloaded","type":"server_error"}}}}'; }}
    location / {{ return 200 '{completion}'; }}
  }}
"""
_PROXY = """
  upstream provider {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
"""


@contextmanager
def running_upstream(folder: Path) -> Iterator[str]:
    """The upstream on the load's core; its URL."""
    with _nginx(folder, "upstream", LOAD_CORE, _UPSTREAM.format(port=UPSTREAM_PORT, completion=COMPLETION)):
        url = f"http://127.0.0.1:{UPSTREAM_PORT}"
        wait_for(url)
        yield url


@contextmanager
def running_proxy(folder: Path) -> Iterator[tuple[str, int]]:
    """The reverse proxy on the gateway's core; its URL and process id."""
    rest = _PROXY.format(port=PROXY_PORT, upstream=UPSTREAM_PORT)
    with _nginx(folder, "proxy", GATEWAY_CORE, rest) as process:
        url = f"http://127.0.0.1:{PROXY_PORT}"
        wait_for(url)
        yield url, process.pid


@contextmanager
def _nginx(folder: Path, name: str, core: int, rest: str) -> Iterator[subprocess.Popen[bytes]]:
    config = folder / f"{name}.conf"
    config.write_text(_COMMON.format(folder=folder, name=name, rest=rest))
    process = start_pinned(core, ["nginx", "-c", str(config), "-p", str(folder)])
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def wait_for(url: str, seconds: float = 30) -> None:
    """Wait until something answers there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"nothing answers at {url}")
