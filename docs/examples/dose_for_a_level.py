"""Which dose still occupies the receptor when behaviour is read?

The dose of oral naltrexone that occupies 90 % of the mu-opioid receptors of a person at each hour: in half of all
draws, and in 95 % of them, which is what a study should plan with.
"""

import altair as alt

import gaddum

layout = gaddum.lay_out("naltrexone 50 mg po", targets=["MOR"])
rows = []
print("hours   typical   safe")
for hour in (1, 4, 8, 12, 24, 36, 48):
    typical, safe = (
        50 * gaddum.dose_for(layout, "MOR", 0.9, at=hour, certainty=certainty).multiple
        for certainty in (0.5, 0.95)
    )
    print(f"{hour:5}  {typical:5.3g} mg  {safe:6.3g} mg")
    rows += [{"hour": hour, "dose": typical, "wanted": "in half of draws"}]
    rows += [{"hour": hour, "dose": safe, "wanted": "in 95 % of draws"}]

chart = (
    alt.Chart(alt.Data(values=rows))
    .mark_line(point=True)
    .encode(
        alt.X("hour:Q", title="Hours after the tablet"),
        alt.Y("dose:Q", title="Naltrexone (mg) for 90 % of MOR", scale=alt.Scale(type="log")),
        alt.Color("wanted:N", title=None),
    )
    .properties(width=440, height=220)
)
