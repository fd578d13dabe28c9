"""The processes of the sandbox. Nothing in here imports anything but the standard library and its neighbours."""
