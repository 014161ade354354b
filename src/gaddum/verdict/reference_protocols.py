"""Reference protocols: the reference protocols of a case alone, followed at draws of the whole case.

What-if questions are asked of these few protocols, for every account and every feature held. The whole record and its
likelihood need not be run for that: an assembly without outcomes holds nothing but the anchors.
"""

import dataclasses
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.response.assemble import Assembly, assemble
from gaddum.response.response import Account, prior_table, respond
from gaddum.weigh.likelihood import Setting
from gaddum.weigh.predictive import in_blocks, in_chunks


class References:
    """Compiled states of the reference protocols."""

    def __init__(self, loaded: LoadedCase, whole: Assembly) -> None:
        studies = tuple(study.silent for study in loaded.ledger.studies)
        alone = assemble(dataclasses.replace(loaded, ledger=Ledger(studies)))
        self._whole = whole.dimension
        self._places = np.array([whole.index[parameter.name] for parameter in alone.parameters], int)
        # A constant stands for the weight of the subject that came first, which may be another one here.
        self._moved = prior_table(alone) - prior_table(whole)[self._places]
        self._rows = np.array([alone.anchors[place] for place in whole.anchors], int)

        def states(z: Array, given: Any) -> tuple[Array]:
            account, table = given
            return (respond(alone, z, account, table).state,)

        self._states = jax.jit(in_blocks(states))

    def ready(self, given: Setting) -> "References":
        """The same, compiled."""
        if self._rows.size:
            self.states(np.zeros((self._whole, 1)), given.account, given.table)
        return self

    def states(
        self,
        z: Float[np.ndarray, "dimension draws"],
        account: Account,
        table: Float[np.ndarray, "dimension grid"],
    ) -> Float[np.ndarray, "places draws"]:
        """State at every anchor of the whole case, in its order, by draws and prior table of the whole case."""
        given = (account, np.asarray(table)[self._places] + self._moved)
        (found,) = in_chunks(lambda part: self._states(part, given), z[self._places])
        return found[self._rows]
