"""Outcomes: what a paper reported -> the likelihood of exactly that statement.

It takes records and gives tables of log density over true contrasts: `statistic` for means and tests,
`verdict_events` for words, `responders` for counts, `group_sizes` for what a report leaves open. It knows neither
hypotheses nor draws; `weigh` puts the two together, and `referee` asks what a study could have found (`power`).
"""
