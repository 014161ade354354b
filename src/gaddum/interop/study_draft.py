"""Study draft: a study as the rows of a spreadsheet fill it, plain values with the cell in which each was said."""

from typing import Any

from gaddum.records.field import FieldPath


class StudyDraft:
    """A study as plain values, with the cell in which each was said."""

    def __init__(self) -> None:
        self.content: dict[str | int, Any] = {}
        self.cells: dict[FieldPath, int] = {}
        self.experiments: dict[str, int] = {}
        self.outcomes: list[int] = []
        """Number of outcomes of each experiment."""

    def open(self, path: FieldPath, cell: int) -> dict[str | int, Any] | None:
        """Mapping at a path, made where absent; None if something else is there."""
        here: Any = self.content
        for end, part in enumerate(path, 1):
            self.cells.setdefault(path[:end], cell)
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                return None
        return here


def listed(value: Any) -> Any:
    """Turn mappings from positions into lists."""
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(key, int) for key in value):
        return [listed(value[key]) for key in sorted(value)]
    return {str(key): listed(part) for key, part in value.items()}


def share_source(study: dict[str, Any]) -> None:
    """Give the study's source to what has none of its own."""
    shared = study.get("source")
    if not isinstance(shared, dict):
        return
    for experiment in study["experiments"]:
        protocol = experiment.get("protocol", {})
        weight = protocol.get("subject", {}).get("weight")
        for one in (protocol, weight, *experiment.get("outcomes", ())):
            if isinstance(one, dict) and isinstance(own := one.get("source", {}), dict) and "how" not in own:
                one["source"] = shared | own
