"""What demo, labs and tests put on a link: a world in virtual time, and a narrator for it."""
