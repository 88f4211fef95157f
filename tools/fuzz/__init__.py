"""Targets for coverage-guided fuzzing with atheris; docs/fuzzing.md says how to use them."""
