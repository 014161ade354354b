"""Extras: packages that the base install leaves out, and the one sentence of whatever needs them.

`pip install 'gaddum[weigh]'` brings what weighing a case needs, `'gaddum[ledger]'` what workbooks and SQL need,
`'gaddum[web]'` what the workbench needs; all else runs without any. A function that needs one asks here instead of
importing it, once, before it is used.
"""

from importlib import import_module
from typing import Any

EXTRAS = {
    "duckdb": "ledger",
    "h5netcdf": "weigh",
    "jax": "weigh",
    "openpyxl": "ledger",
    "starlette": "web",
    "uvicorn": "web",
}
"""Module and the extra of pyproject.toml that installs it."""


def required(module: str, purpose: str) -> Any:
    """Import a module of an extra, or refuse with the command that installs it.

    Parameters
    ----------
    module : str
        One of `EXTRAS`.
    purpose : str
        What needs it, as the subject of a sentence.

    Raises
    ------
    ImportError
        If the module is not installed. One that is installed and broken raises its own error.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ImportError(
            f"{purpose} needs {module}, which is not installed. Run `pip install 'gaddum[{EXTRAS[module]}]'`."
        ) from error
