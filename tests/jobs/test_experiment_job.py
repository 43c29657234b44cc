"""The experiment as a real job: cancelled in the middle, it goes on and loses no training."""

import numpy as np
import pytest

from cnnkit.backprop.experiment import ExperimentPlan, curve, train_network
from cnnkit.jobs.kinds.experiment import curve_file, kept_curves
from cnnkit.runs import Status


@pytest.mark.endurance
def test_a_cancelled_experiment_goes_on_with_what_lacks(pool, store, until):
    plan = ExperimentPlan(epochs=120, seeds=2)
    run = pool.submit(kind="experiment", spec=plan.to_dict())
    until(run, lambda run: kept_curves(store, run.id, plan))
    pool.cancel(run.id)
    assert until(run, lambda run: run.status.over).status is Status.CANCELLED
    kept = kept_curves(store, run.id, plan)
    assert 1 <= len(kept) < len(plan.units)
    first = plan.units[0]
    made = store.artifact(run.id, curve_file(*first)).stat().st_ino

    pool.resume(run.id)
    run = until(run, lambda run: run.status.over)
    assert (run.status, run.reason, run.attempt) == (Status.FINISHED, "", 2)
    assert run.progress.fraction == 1
    assert store.artifact(run.id, curve_file(*first)).stat().st_ino == made
    found = kept_curves(store, run.id, plan)
    assert list(found) == plan.units
    for way, seed in plan.units[-2:]:
        undisturbed = curve(way, seed, list(train_network(plan, way, seed)))
        assert np.array_equal(found[way, seed].probability, undisturbed.probability)
    expected = np.mean([found["dense layers", seed].accuracy[-1] for seed in range(2)])
    assert run.metrics["dense_accuracy"] == expected
