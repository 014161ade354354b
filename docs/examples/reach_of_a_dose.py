"""Does a dose stay at the receptor it is named after?

Naltrexone is called a mu-opioid antagonist. The peak share of each opioid receptor that an oral dose occupies in people
says from which dose on an effect that it abolishes may be another receptor's.
"""

import altair as alt

import gaddum

RECEPTORS = ["MOR", "KOR", "DOR"]
rows = []
print("dose     " + "   ".join(RECEPTORS))
for dose in (1, 3, 10, 30, 100):
    found = gaddum.occupancy(f"naltrexone {dose} mg po", targets=RECEPTORS, times=["1 h"], draws=500)
    medians = {name: float(gaddum.band(found.targets[name].occupied).median[0]) for name in RECEPTORS}
    print(f"{dose:4} mg  " + "  ".join(f"{share:.2f}" for share in medians.values()))
    rows += [{"dose": dose, "receptor": name, "share": share} for name, share in medians.items()]

chart = (
    alt.Chart(alt.Data(values=rows))
    .mark_line(point=True)
    .encode(
        alt.X("dose:Q", title="Naltrexone by mouth (mg)", scale=alt.Scale(type="log")),
        alt.Y("share:Q", title="Share occupied after 1 h", scale=alt.Scale(domain=[0, 1])),
        alt.Color("receptor:N", title=None, sort=RECEPTORS),
    )
    .properties(width=440, height=220)
)
