"""Could the test have seen it? Power over animals per group.

"No longer different from vehicle" is what a blocked group shows when the drug's effect is gone, and also when the test
was too small to see it. The chance that a t test at 0.05 finds a true effect of 0.8, 1.2 or 1.6 standard deviations.
"""

import altair as alt

import gaddum

EFFECTS = (0.8, 1.2, 1.6)
rows = [
    {"n": n, "effect": f"{effect} SD", "power": gaddum.t_test_power(n, effect)}
    for n in range(3, 31)
    for effect in EFFECTS
]
for effect in EFFECTS:
    enough = next(n for n in range(2, 200) if gaddum.t_test_power(n, effect) >= 0.8)
    seven = gaddum.t_test_power(7, effect)
    print(f"{effect} SD: {seven:.0%} with 7 animals a group; {enough} a group for 80 %")

chart = (
    alt.Chart(alt.Data(values=rows))
    .mark_line()
    .encode(
        alt.X("n:Q", title="Animals per group"),
        alt.Y("power:Q", title="Chance to see the effect", axis=alt.Axis(format="%")),
        alt.Color("effect:N", title="True effect"),
    )
    .properties(width=440, height=220)
)
