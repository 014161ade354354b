"""Surface: the commands, and all that is drawn, printed and rendered.

The top of the tree: it takes the public functions and gives text, pages, figures and JSON. A verb is a file, or a
folder where it needs three or more. Nothing below knows of the command line.
"""
