"""IPv6 (RFC 8200): input, the header chain, output, next hop and source address selection."""
