"""Features: what gates can refer to, and where the calculator has them."""

VEHICLE = {"block": 0.0, "agonism": 0.0, "tone": 1.0, "reserve": 1.0, "engagement": 0.0}
"""Level of each feature without any drug."""

OF_BOUND = {"block": "blocked", "agonism": "activated", "tone": "tone", "engagement": "occupied"}
"""Field of `binding.BoundFractions` that is the feature; receptor reserve and unnamed targets only a case knows."""
