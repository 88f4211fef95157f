"""Captures mutated and fed to a host that everything is held against; what breaks it is shrunk and kept."""
