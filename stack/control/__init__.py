"""The control socket of a running host: what is said on it, its server and its client."""
