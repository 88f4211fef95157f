"""sixtap: a complete IPv6 host in Python that lives on a Linux TAP device.

The protocols are sans-IO: frames and the time go in; frames, filter plans and
events come out. docs/design.md is the map of what is where.
"""

__version__ = "0.1.0.dev0"
