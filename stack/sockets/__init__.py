"""trio sockets over a host (RFC 3493, RFC 3542, RFC 3678): datagrams and raw ICMPv6, with a factory and a resolver."""
