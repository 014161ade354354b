"""Population kinetics: constants of a drug, and their spread between studies, from the curves of several studies."""
