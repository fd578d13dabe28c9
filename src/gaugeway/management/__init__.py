"""The control plane: Cloudflare-compatible REST, one resource a file."""
