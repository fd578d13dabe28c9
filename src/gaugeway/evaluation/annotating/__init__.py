"""What people's labels show: how far they agree, and how far a judge can be believed (docs/annotation.md)."""
