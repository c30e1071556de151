"""Jumps and rests: counted in tracks, and the law behind what the frame interval lets one see."""
