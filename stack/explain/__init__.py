"""Frames in plain words: `frame.describe` makes one line of any bytes, `frame.account` its parts. No host, no state."""
