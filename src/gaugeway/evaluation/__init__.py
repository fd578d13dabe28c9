"""The laboratory: claims evaluations, runs them, concludes them. Begin reading at runner.py."""
