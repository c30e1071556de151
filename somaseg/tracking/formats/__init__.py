"""Formats of other tracking programs: one file each."""
