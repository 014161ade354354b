"""Prediction: forecasts of blockade studies by the model, against rivals that were frozen before it was run.

    python -m benchmarks.prediction --rows      what came of every blockade of the record, by one rule
    python -m benchmarks.prediction --rivals    rows, the rivals' forecasts and scores, page and figure
    python -m benchmarks.prediction --model N   look number N at the model's scores; an interrupted one goes on

`docs/decisions/0010-frozen-prediction-test.md` says what is frozen, and what counts as a look.
"""
