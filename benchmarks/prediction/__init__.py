"""Prediction: forecasts of blockade studies by the model, against rivals that were frozen before it was run.

    python -m benchmarks.prediction --rows      what came of every blockade of the record, by one rule
    python -m benchmarks.prediction --rivals    rows, the rivals' forecasts and scores, page and figure

`docs/decisions/0010-frozen-prediction-test.md` says what is frozen.
"""
