"""Sampling: a log density -> posterior draws, and the log marginal likelihood with its error.

It imports nothing of gaddum and could serve any model: particles are tempered from the prior (`tempering`) by
Hamiltonian moves (`hmc`), and a bridge gives the evidence (`bridge`). `weigh` brings the density of a case.
"""
