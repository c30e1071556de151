"""Groups of cells, assembloids and lines beside each other: units, tests and models.

compare_groups(read_study("study.csv"), GroupParameters(...))
"""

from somaseg.migration.groups.comparing import Comparison, GroupParameters, compare_groups
from somaseg.migration.groups.study_tables import Study, read_study

__all__ = ["Comparison", "GroupParameters", "Study", "compare_groups", "read_study"]
