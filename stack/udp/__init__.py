"""UDP (RFC 768 over RFC 8200): ports and demultiplexing, sockets with their memberships and queues, input."""
