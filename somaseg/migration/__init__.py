"""From tracks to the biology of migration, and how right its numbers are."""

from somaseg.migration.result_scores import ResultScores, score_results, write_scores
from somaseg.migration.scores import MigrationScores, score_migration

__all__ = ["MigrationScores", "ResultScores", "score_migration", "score_results", "write_scores"]
