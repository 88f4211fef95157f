"""ICMPv6 (RFC 4443): dispatch by type, echo, errors and their rate limit."""
