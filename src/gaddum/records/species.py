"""Species: those whose kinetics and strata records may speak of."""

from typing import Literal

Species = Literal["human", "rat", "mouse", "monkey", "dog", "pigeon", "guinea pig", "rabbit", "sheep"]
