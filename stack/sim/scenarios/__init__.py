"""The scenarios of `sixtap demo`, one file each; `listing.LISTING` names them."""
