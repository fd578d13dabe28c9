"""The control plane: Cloudflare's management API under `/client/v4`, one resource a file."""

from gaugeway.management.api import create_app
from gaugeway.management.parts import Parts

__all__ = ["Parts", "create_app"]
