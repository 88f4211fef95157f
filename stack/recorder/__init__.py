"""The flight recorder: a ring of frames and calls behind a snapshot, bundles of it, and their replay."""
