"""Linkers by name: our own, and other people's programs where they are installed, behind one function.

A linker is a function `link(somas, *, max_step_um, max_gap_frames, stack)` that gives a track id for each soma.
"""

from somaseg.tracking.linkers.linker import LINKERS, LabelledStack, Linker, find_linker, link_with

__all__ = ["LINKERS", "LabelledStack", "Linker", "find_linker", "link_with"]
