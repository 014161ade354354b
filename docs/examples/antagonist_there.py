"""Was the antagonist there? Rats of one study beside patients.

The rats of Klein et al. (2020) got naltrexone an hour before ketamine (under the skin, as is assumed), patients a
tablet 45 min before. How much of the mu-opioid receptor does naltrexone occupy when ketamine is given, and a day later?
"""

import altair as alt
import numpy as np

import gaddum

HOURS = np.linspace(0, 24, 97)
GIVEN = {
    "rats, 1 mg/kg sc": ("naltrexone 1 mg/kg sc at -1 h", "rat"),
    "patients, 50 mg po": ("naltrexone 50 mg po at -45 min", "human"),
}

rows = []
for who, (doses, species) in GIVEN.items():
    found = gaddum.occupancy(doses, species=species, targets=["MOR"], times=HOURS)
    occupied = gaddum.band(found.targets["MOR"].occupied)
    for hour in (0, 4, 24):
        at = HOURS.tolist().index(hour)
        print(
            f"{who:18} {hour:2} h  {occupied.median[at]:.2f} ({occupied.lower[at]:.2f} to {occupied.upper[at]:.2f})"
        )
    for hour, *level in zip(HOURS, *occupied, strict=True):
        rows.append({"who": who, "hour": hour, **dict(zip(("median", "lower", "upper"), level, strict=True))})

base = alt.Chart(alt.Data(values=rows)).encode(
    alt.X("hour:Q", title="Hours after ketamine"), alt.Color("who:N", title=None)
)
bands = base.mark_area(opacity=0.25).encode(
    alt.Y("lower:Q", title="Share of MOR occupied by naltrexone", scale=alt.Scale(domain=[0, 1])),
    y2="upper:Q",
)
chart = alt.layer(bands, base.mark_line().encode(y="median:Q")).properties(width=440, height=220)
