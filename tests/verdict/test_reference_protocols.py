"""References: the anchors alone give what they give in the whole record."""

import jax
import numpy as np
import pytest

from gaddum.response.assemble import assemble
from gaddum.response.response import account, prior_table, respond
from gaddum.verdict.reference_protocols import References
from gaddum.weigh.predictive import in_blocks
from letter import load_letter


@pytest.mark.slow
@pytest.mark.parametrize("hold", [None, {"MOR.tone": 0.0}])
def test_states_of_the_anchors_are_those_of_the_whole_record(hold):
    loaded = load_letter()
    whole = assemble(loaded)
    hypothesis = next(h for h in loaded.case.hypotheses if h.name == "nmdar-permissive-opioid")
    given, table = account(hypothesis, whole, hold=hold), prior_table(whole)
    z = np.random.default_rng(0).standard_normal((whole.dimension, 40))
    alone = References(loaded, whole).states(z, given, table)
    everything = jax.jit(in_blocks(lambda z, g: respond(whole, z, g, table).state))(z, given)
    np.testing.assert_allclose(alone, np.asarray(everything)[list(whole.anchors.values())], rtol=1e-10)
