"""The scenarios of `sixtap demo`, one file each; `catalogue.SCENARIOS` lists them."""
