"""Neighbour discovery (RFC 4861) and the life of addresses (RFC 4862) on one interface."""
