"""Metrics of your own, beside the built-in ones. Yours to edit.

A metric is a name and a function of the truth and the scores of some rows; greater is better. The
truth is 0 or 1 (1: the positive class), the place of the class among the contract's, or the number;
the scores are the probability of 1, a column of probabilities for each class, or the number that is
predicted. A loss is negated, and its name begins with `neg_`; NaN stands for what these rows do not
define. To add the mean absolute percentage error, an F-beta, and what it costs to look at the
100 likeliest cases and to miss the others:

    import numpy as np
    from sklearn.metrics import fbeta_score, mean_absolute_percentage_error

    def neg_mape(truth, scores):
        return -mean_absolute_percentage_error(truth, scores)

    def f2(truth, scores):
        return fbeta_score(truth, scores >= 0.5, beta=2)

    def neg_cost_at_100(truth, scores):
        likeliest = np.argsort(-scores, kind="stable")[:100]
        return -float(len(likeliest) + 5.0 * (truth.sum() - truth[likeliest].sum()))

    Metric("neg_mape", neg_mape, tasks=("regression",)),
    Metric("f2", f2, tasks=("binary",)),
    Metric("neg_cost_at_100", neg_cost_at_100, tasks=("binary",)),

Such lines go into METRICS; then they stand in every report, and `train.metric: f2` of params.yaml
chooses and judges models by it.
"""

from mlops.api import Metric

METRICS: tuple[Metric, ...] = ()
