"""gaddum: which receptors carry this drug's effect, and which experiment would settle it?"""

from gaddum._version import __version__

__all__ = ["__version__"]
