"""Accounts: which of a case's hypotheses are simulated, in which population, and whence their parameters are drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import numpy as np
from jaxtyping import Float

from gaddum.engagement.layout import DRAWS
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.numerics.variates import even_variates
from gaddum.parameters import Parameter, declared_parameter, prior_draws, smooth_values
from gaddum.records.finding import nearest
from gaddum.records.hypothesis import Phase
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.records.library import Library
from gaddum.records.prior import LogNormal
from gaddum.response.account_course import POPULATION, SimulatedAccount, simulated_account
from gaddum.response.run_draws import RunDraws, read_run, refuse_other


class AccountSelection(NamedTuple):
    """Accounts of a case that are to be simulated, and whence their parameters."""

    simulated: tuple[SimulatedAccount, ...] = ()
    loaded: LoadedCase | None = None
    run: RunDraws | None = None
    population: str | None = None

    @property
    def library(self) -> Library | None:
        """The case's library."""
        return None if self.loaded is None else self.loaded.library

    @property
    def features(self) -> tuple[str, ...]:
        """Features that the accounts speak of."""
        return tuple(dict.fromkeys(part.feature for one in self.simulated for part in one.inputs))

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets of the library that the accounts speak of."""
        named = dict.fromkeys(name.partition(".")[0] for name in self.features)
        return tuple(name for name in named if self.library is not None and name in self.library.targets)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Parameters of behaviour: name in `account_states` -> parameter."""
        if self.loaded is None:
            return {}
        priors = {one.name: one for one in self.loaded.case.priors}
        found = {}
        rows = {name: row for one in self.simulated for name, row in one.rows.items()}
        missing = dict.fromkeys(row for row in rows.values() if row not in priors)
        if missing:
            raise ValueError(
                f"The prior table must have rows {', '.join(missing)} to simulate these accounts; got "
                f"{', '.join(priors) or 'no rows'}. Add them to `priors` in case.yaml."
            )
        found |= {name: declared_parameter(priors[row], name) for name, row in rows.items()}
        of = POPULATION if self.population is None else f"dependence of {self.population}"
        reason = "partial pooling between populations"
        found[POPULATION] = Parameter(
            of, Z_GRID.copy(), "logit SD", "normal(0, 1)", reason, "assumption", "itself"
        )
        return found

    @property
    def drawn_from(self) -> str:
        """Whence the draws, in words."""
        if self.run is not None:
            own = [one.name for one in self.parameters.values() if one.name not in self.run.scores]
            lacking = ", ".join([*own, "what else it does not hold"])
            return f"posterior of {self.run.fit} in a run of case {self.run.case}; {lacking}: prior"
        return "prior" if self.loaded is None else f"prior of case {self.loaded.case.name}"

    def setting(
        self,
        *,
        targets: str | Sequence[str] | None = None,
        tone: Mapping[str, LogNormal | float] | None = None,
        draws: int = DRAWS,
        library: Library | None = None,
        **rest: Any,
    ) -> dict[str, Any]:
        """Keywords of `lay_out` that accounts complete: their targets, their case's tone and library, a run's draws."""
        wanted = [targets] if isinstance(targets, str) else targets or ()
        return rest | {
            "targets": list(dict.fromkeys([*self.targets, *wanted])) or None,
            "tone": (dict(self.loaded.case.endogenous_tone()) if self.loaded else {}) | dict(tone or {}),
            "draws": draws if self.run is None else min(draws, next(iter(self.run.scores.values())).size),
            "library": library or self.library,
        }

    def values(self, parameters: Sequence[Parameter], draws: int, seed: int) -> Float[np.ndarray, "_ draws"]:
        """Draws of parameters on their smooth scales: the run's of those that it has, the prior's of others."""
        if self.run is None:
            return prior_draws(parameters, draws, seed)
        known = self.run.scores
        pick = np.linspace(0, next(iter(known.values())).size - 1, draws).astype(int)
        scores = even_variates([one.name for one in parameters], draws, seed)
        for place, one in enumerate(parameters):
            scores[place] = known[one.name][pick] if one.name in known else scores[place]
        return smooth_values(parameters, scores)


def read_accounts(
    case: str | Path | LoadedCase | None,
    run: str | Path | None = None,
    hypotheses: str | Sequence[str] | None = None,
    population: str | None = None,
) -> AccountSelection:
    """Find the accounts that are to be simulated; the arguments are those of `simulate`."""
    hypotheses = [hypotheses] if isinstance(hypotheses, str) else hypotheses
    if case is None and run is None:
        if hypotheses or population:
            raise ValueError("Accounts and populations are a case's; got none. Give `case` or `run`.")
        return AccountSelection()
    if run is not None and hypotheses is not None and len(hypotheses) != 1:
        raise ValueError(
            f"A run has other draws for each account; got {len(hypotheses)} accounts. Name one of them."
        )
    found = None if run is None else read_run(run, hypotheses[0] if hypotheses else None)
    loaded = case if isinstance(case, LoadedCase) else load_case(case or (found.case if found else ""))
    if found is not None:
        refuse_other(found.case, found.manifest, loaded)
    by_name = {one.name: one for one in loaded.case.hypotheses}
    simulated = []
    for text in [found.fit] if found is not None else hypotheses or list(by_name):
        name, at, phase = text.partition("@")
        if name not in by_name:
            raise ValueError(f"An account must be one of the case's; got {name!r}. {nearest(name, by_name)}")
        if at and (phase not in get_args(Phase) or not by_name[name].phased):
            which = (
                ", ".join(get_args(Phase))
                if by_name[name].phased
                else "left out, since nothing of it is phased"
            )
            raise ValueError(f"A phase of {name} must be {which}; got {text!r}.")
        simulated.append(simulated_account(by_name[name], cast(Phase, phase or "both"), text))
    known = dict.fromkeys(e.protocol.subject.stratum for _, e in loaded.ledger.experiments())
    if population is not None and population not in known:
        raise ValueError(
            f"A population must be one of the case's; got {population!r}. It has: {'; '.join(known)}."
        )
    return AccountSelection(tuple(simulated), loaded, found, population)
