"""A small network in Linux namespaces: a bridge, a Linux host, a router, and a virtual host of ours."""
