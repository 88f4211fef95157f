"""Captures as data: pcap and pcapng files read and written, and what stands in the frames of one."""
