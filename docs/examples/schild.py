"""From agonist curves to pA2.

An agonist alone and with three concentrations of an antagonist in the organ bath. All curves are fitted at once; a
Schild slope whose interval holds 1 is what competitive antagonism gives, and pA2 is then the antagonist's pK_B.
"""

import altair as alt
import numpy as np

import gaddum

AGONIST = np.array([1, 10, 100, 1e3, 1e4, 1e5])  # nM
CURVES = {  # antagonist (nM): response (%)
    0: [2.3, 23.7, 80.1, 97.6, 101.3, 98.3],
    10: [0.9, 6.5, 51.3, 95.6, 98.2, 94.3],
    100: [-0.8, 7.7, 12.4, 53.2, 92.7, 94.1],
    1000: [0.1, 0.6, 0.9, 14.9, 61.9, 91.9],
}

table = gaddum.make_responses(
    np.tile(AGONIST, len(CURVES)),
    np.repeat(list(CURVES), AGONIST.size),
    np.concatenate(list(CURVES.values())),
)
fit = gaddum.fit_schild(table).fit
for name in ("pa2", "slope"):
    found = fit[name]
    print(f"{name:5} {found.value:.2f} ({found.lower:.2f} to {found.upper:.2f})")

points = [
    {"agonist": agonist, "antagonist": f"{antagonist} nM", "response": response}
    for antagonist, responses in CURVES.items()
    for agonist, response in zip(AGONIST.tolist(), responses, strict=True)
]
chart = (
    alt.Chart(alt.Data(values=points))
    .mark_line(point=True, interpolate="monotone")
    .encode(
        alt.X("agonist:Q", title="Agonist (nM)", scale=alt.Scale(type="log")),
        alt.Y("response:Q", title="Response (%)"),
        alt.Color("antagonist:N", title="Antagonist", sort=[f"{one} nM" for one in CURVES]),
    )
    .properties(width=440, height=220)
)
