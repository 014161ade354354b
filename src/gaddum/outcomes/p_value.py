"""An exact p of one contrast: a test whose statistic is p."""

from gaddum.outcomes.test import compared, table

__all__ = ["compared", "table"]
