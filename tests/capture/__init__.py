"""Captures: written, and read."""
