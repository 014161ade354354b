"""Shared test settings: double precision, compiled functions kept, shapes and types checked at run time."""

import os
from collections import Counter
from collections.abc import Iterator

import jax
import pytest
from jaxtyping import install_import_hook

jax.config.update("jax_enable_x64", True)

# The pytest option `--jaxtyping-packages` cannot say that an int will do for a float (PEP 484), hence the hook.
install_import_hook(
    [
        "gaddum.numerics",
        "gaddum.parameters",
        "gaddum.parameter_registry",
        "gaddum.exposure",
        "gaddum.engagement",
        "gaddum.population",
        "gaddum.response",
    ],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled functions among pytest's files: much of a run is compiling, and most of it is as it was.

    They are shared by all workers, and by the processes that tests start.
    """
    if config.cache is not None:
        settings = {
            "jax_compilation_cache_dir": str(config.cache.mkdir("jax")),
            "jax_persistent_cache_min_compile_time_secs": 0.0,
        }
        for name, value in settings.items():
            jax.config.update(name, value)
            os.environ[name.upper()] = str(value)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring forward the files that hold most slow tests: one that began last would keep one worker waiting."""
    functions = {(item.path, item.name.split("[")[0]) for item in items if item.get_closest_marker("slow")}
    slow = Counter(path for path, _ in functions)
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session", autouse=True)
def settings_of_jax() -> Iterator[None]:
    """Keep commands that run in this process from changing JAX's settings under the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gaddum.surface.accelerator.configure_jax", lambda **given: None)
        yield
