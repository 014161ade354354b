"""Standard: the columns in which a ledger is exported, and which are read back without a mapping."""

from gaddum.interop.mapping import Mapping

_SOURCE = ("how", "doi", "pmid", "cites", "locator", "reason")

_COLUMNS = """
study.id : study
study.year : year
study.title : title
experiment.id : experiment
endpoint.key : endpoint
outcome.form : form
subject.species : species
subject.strain : strain
subject.sex : sex
subject.age : age
subject.paradigm : paradigm
subject.aetiology : aetiology
subject.comparator : comparator
subject.stress : stress
subject.preparation : preparation
subject.weight : weight
endpoint.name : endpoint name
endpoint.family : endpoint family
endpoint.test_time : test time
endpoint.test_time_latest : test time latest
endpoint.phase : phase
endpoint.improvement : improvement
arms.{arm #}.n : arm # n
arms.{arm #}.n_range : arm # n range
arms.{arm #}.doses : arm # doses
arms.{arm #}.manipulations : arm # manipulations
arms.{arm #}.subset_of : arm # subset of
arms.{arm #}.expectancy : arm # expectancy
arms.{arm #}.note : arm # note
outcome.arms.{arm #}.mean : arm # mean
outcome.arms.{arm #}.spread : arm # spread
outcome.arms.{arm #}.spread_kind : arm # spread kind
outcome.arms.{arm #}.n : arm # mean of n
outcome.counts.{arm #}.responders : arm # responders
outcome.counts.{arm #}.n : arm # responders of n
outcome.change : change
outcome.criterion : criterion
outcome.retest.arm : retest arm
outcome.retest.among_responders_of : retest among responders of
outcome.retest.responders : retest responders
outcome.retest.n : retest n
outcome.contrast.0 : first arm
outcome.contrast.1 : second arm
outcome.better : better
outcome.statistic : statistic
outcome.value : value
outcome.df : df
outcome.p : p
outcome.threshold : threshold
outcome.significant : significant
outcome.paired : paired
outcome.ci.0 : ci low
outcome.ci.1 : ci high
outcome.ci_level : ci level
outcome.sd : sd
outcome.arms.0 : interaction K
outcome.arms.1 : interaction V
outcome.arms.2 : interaction KA
outcome.arms.3 : interaction A
outcome.positive : positive
outcome.verdict : verdict
outcome.roles.K : role K
outcome.roles.V : role V
outcome.roles.KA : role KA
outcome.roles.X : role X
outcome.roles.KX : role KX
outcome.rule : rule
outcome.correction : correction
outcome.agonist_effect_present : agonist effect present
outcome.text : text
outcome.why : why
outcome.primary : primary
outcome.selected : selected
outcome.same_subjects : same subjects
outcome.correlation : correlation
protocol.design : design
protocol.masking : masking
protocol.selection : selection
protocol.washout : washout
protocol.cells_per_animal : cells per animal
study.cohort : cohort
study.lab : lab
study.competing_interests : competing interests
study.sponsor : sponsor
study.risk_of_bias : risk of bias
study.reporting : reporting
study.note : study note
"""

_PAIRS = [line.split(" : ") for line in _COLUMNS.strip().splitlines()] + [
    [f"{head}.source.{part}", f"{head} {part}"]
    for head in ("outcome", "protocol", "study")
    for part in _SOURCE
]

STANDARD = Mapping(fields={path: "{" + column + "}" for path, column in _PAIRS})
"""The columns that `export_studies` writes, in their order."""
