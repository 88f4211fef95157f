"""Multicast listener discovery: the multicast address list of an interface and what it tells the link."""
