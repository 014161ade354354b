"""Referee: what a reader of a blockade study would ask. The command and the public function are called `audit`.

It takes records, the occupancies of `engagement` and the power of `outcomes`, and gives graded concerns with their
remedy, and what sets opposite results apart. It weighs no hypotheses.
"""
