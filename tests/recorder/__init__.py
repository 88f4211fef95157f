"""Snapshots, the flight recorder and what is asked of it."""
