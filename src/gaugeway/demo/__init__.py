"""The demo: the main job from nothing, on one machine, with numbers that it checks itself."""
