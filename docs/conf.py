import sys
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from gaddum import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generated  # noqa: E402  # lies beside this file

project = "gaddum"
author = "The gaddum developers"
copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "gaddum"
html_static_path = ["static"]
html_css_files = ["gaddum.css"]
html_show_sourcelink = html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False


html_domain_indices = False
html_math_renderer = "mathml"


def math(self, node):
    """Formulas as MathML, which browsers draw by themselves: the pages load nothing from elsewhere."""
    as_block = isinstance(node, nodes.math_block)
    self.body.append(tex2mathml(node.astext(), as_block=as_block))
    raise nodes.SkipNode


def setup(app):
    """Write the pages that follow from the package before they are read."""
    app.connect("builder-inited", lambda app: generated.write(HERE))
    app.add_html_math_renderer("mathml", (math, None), (math, None))
