"""How many hosts a crowd has at most, and how many groups each: what their MACs and groups are numbered with."""

MOST_HOSTS = 65_535
MOST_GROUPS = 4_096
