"""The data plane: one request through named phases. Begin reading at pipeline.py."""
