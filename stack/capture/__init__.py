"""Captures as links: pcap and pcapng files, and what stands in the frames of one."""
