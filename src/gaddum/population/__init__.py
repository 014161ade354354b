"""Population kinetics: the constants of a drug over studies.

Takes curves, published models and printed constants of several papers, and the drug's structure; gives the typical
constants, their spread between studies, and how well each paper is foretold by the others.
"""
