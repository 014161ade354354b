"""Outcomes: what a paper reported -> the likelihood of exactly that statement.

It takes records and gives tables of log density over true contrasts: a module for each form, found and described in
`form`, over the arithmetic that forms share (`statistic`, `joint_means`, `verdict_events`, `responder_counts`) and
what a report leaves open (`group_sizes`). It knows neither hypotheses nor draws; `weigh` puts the two together, and
`referee` asks what a study could have found (`power`).
"""
