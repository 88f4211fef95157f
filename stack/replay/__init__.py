"""Captures fed to a host on a virtual clock, and what is held against the host while that goes on."""
