"""Links that carry a host's frames: the TAP device with its driver's multicast filter, an in-memory switch, calls."""
