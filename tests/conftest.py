"""Shared test settings: double precision, and shapes and types checked at run time."""

import jax
from jaxtyping import install_import_hook

jax.config.update("jax_enable_x64", True)

# The pytest option `--jaxtyping-packages` cannot say that an int will do for a float (PEP 484), hence the hook.
install_import_hook(
    ["gaddum.mechanism", "gaddum.simulate"],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)
