"""A route that nobody has built in is added by one line, and runs from YAML to an answer."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gaddum

LINE = '    "buccal": ("buccal", "buccally"),\n'
AFTER = '    "ip": '
DRUG = """
name: strip
molar_mass: {value: 250, unit: g/mol, source: OWN}
f_u: {human: {value: 1, unit: "1", source: OWN}}
kp_uu: {human: {value: 1, unit: "1", source: OWN}}
disposition:
  human:
    sampling: venous
    reference_weight: {value: 70, unit: kg, source: OWN}
    v_c: {value: 10, unit: L, source: OWN}
    cl: {value: 5, unit: L/h, source: OWN}
    absorption:
      buccal: {k_a: {value: 2, unit: 1/h, source: OWN}, f: {value: 0.5, unit: "1", source: OWN}}
affinities:
  - {target: MOR, mode: agonist, k_i: {value: 40, unit: nM, source: OWN}}
""".replace("OWN", "{how: assumption, reason: made up for a test}")
ASKED = """
import json, pathlib, sys, gaddum
from gaddum.records.schema import file_schema
library = gaddum.load_library(pathlib.Path(sys.argv[1]))
doses = gaddum.parse_doses("strip 1000 nmol buccally")
found = gaddum.occupancy(doses, library=library, times=["1 h"], draws=32)
print(json.dumps({
    "written": gaddum.write_doses(doses),
    "occupied": float(found.targets["MOR"].occupied.mean()),
    "in_schema": "buccal" in json.dumps(file_schema("study")),
}))
"""


@pytest.mark.slow
def test_a_new_route_is_one_line(tmp_path):
    shutil.copytree(Path(gaddum.__file__).parent, tmp_path / "src" / "gaddum")
    home = tmp_path / "src" / "gaddum" / "records" / "dose.py"
    home.write_text(home.read_text(encoding="utf-8").replace(AFTER, LINE + AFTER, 1), encoding="utf-8")
    (tmp_path / "drugs").mkdir()
    (tmp_path / "drugs" / "strip.yaml").write_text(DRUG, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["written"] == "strip 1000 nmol buccal"
    assert 0.1 < found["occupied"] < 0.9
    assert found["in_schema"]
