"""Interop: other people's files, read into records and written from them.

It stands beside the chain: it takes text, spreadsheets and event tables, gives records and findings that name the
cell at fault, and knows neither kinetics nor receptors.
"""
